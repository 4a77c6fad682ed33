import { expect, test } from 'vitest'
import { isExempt } from '../../../src/config/proxy/no-proxy.ts'

const HUB = 'https://hub.example.com'

test.for([
  ['nothing', '', HUB, false],
  ['everything', '*', HUB, true],
  ['the name itself', 'hub.example.com', HUB, true],
  ['in other letters', 'HUB.Example.COM', HUB, true],
  ['with a dot at its end', 'hub.example.com.', HUB, true],
  ['a domain that it is in', 'example.com', HUB, true],
  ['a domain of that very name', 'example.com', 'https://example.com', true],
  ['a name that only ends alike', 'ample.com', HUB, false],
  ['what is below a domain', '.example.com', HUB, true],
  ['what is below, and not the domain itself', '.example.com', 'https://example.com', false],
  ['the same with an asterisk', '*.example.com', HUB, true],
  ['the same with an asterisk, and not the domain itself', '*.example.com', 'https://example.com', false],
  ['an asterisk inside a name, which means nothing', 'h*.example.com', HUB, false],
  ['a name below it', 'a.hub.example.com', HUB, false],
  ['one of several', 'localhost, ,other.test,hub.example.com', HUB, true],
  ['one of several, apart by spaces', 'other.test hub.example.com', HUB, true],
  ['the scheme’s own port', 'hub.example.com:443', HUB, true],
  ['another port', 'hub.example.com:8443', HUB, false],
  ['its port', 'example.com:8443', `${HUB}:8443`, true],
  ['http’s own port', 'example.com:80', 'http://hub.example.com', true],
  ['a port alone, which means nothing', ':443', HUB, false],
  ['a name of another script', '.münchen.example', 'https://hub.münchen.example', true],
  ['an address', '192.0.2.7', 'https://192.0.2.7', true],
  ['an address and its port', '192.0.2.7:8443', 'https://192.0.2.7:8443', true],
  ['an address and another port', '192.0.2.7:443', 'https://192.0.2.7:8443', false],
  ['an address that begins alike', '192.0.2.7', 'https://192.0.2.77', false],
  ['a range', '192.0.2.0/24', 'https://192.0.2.77', true],
  ['another range', '192.0.2.0/28', 'https://192.0.2.77', false],
  ['a range, for a name', '0.0.0.0/0', HUB, false],
  ['a range with too many bits', '192.0.2.0/33', 'https://192.0.2.77', false],
  ['a range of nothing', 'example.com/8', HUB, false],
  ['an IPv6 address', '2001:db8::7', 'https://[2001:db8::7]', true],
  ['an IPv6 address, written at length', '2001:0DB8:0:0:0:0:0:7', 'https://[2001:db8::7]', true],
  ['an IPv6 address in brackets', '[2001:db8::7]', 'https://[2001:db8::7]', true],
  ['an IPv6 address and its port', '[2001:db8::7]:8443', 'https://[2001:db8::7]:8443', true],
  ['an IPv6 address and another port', '[2001:db8::7]:443', 'https://[2001:db8::7]:8443', false],
  ['an IPv6 range', '2001:db8::/32', 'https://[2001:db8:1::7]', true],
  ['another IPv6 range', '2001:db8::/64', 'https://[2001:db8:1::7]', false],
] as const)('NO_PROXY with %s', ([, list, url, expected]) => {
  expect(isExempt(new URL(url), list)).toBe(expected)
})
