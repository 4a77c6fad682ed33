import { describe, expect, test } from 'vitest'
import { proxyFor, proxyToSave, shownProxy } from '../../../src/config/proxy/proxy.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const hub = 'https://hub.example.com'
const SAVED = 'http://saved.test:3128/'

const wayTo = (address: { hub: string; proxy?: string }, env: NodeJS.ProcessEnv) =>
  proxyFor(address, env)?.url.href ?? 'direct'

test.for([
  ['without a word in the environment', hub, {}, 'direct'],
  ['by HTTPS_PROXY', hub, { HTTPS_PROXY: 'http://a.test:3128' }, 'http://a.test:3128/'],
  [
    'by https_proxy, which comes first',
    hub,
    { HTTPS_PROXY: 'http://a.test', https_proxy: 'http://b.test' },
    'http://b.test/',
  ],
  ['past an empty variable', hub, { HTTPS_PROXY: 'http://a.test', https_proxy: '' }, 'http://a.test/'],
  ['by a proxy without a scheme', hub, { HTTPS_PROXY: 'a.test:3128' }, 'http://a.test:3128/'],
  ['by a proxy that speaks TLS', hub, { HTTPS_PROXY: 'https://a.test' }, 'https://a.test/'],
  ['by IPv6', hub, { HTTPS_PROXY: 'http://[2001:db8::1]:3128' }, 'http://[2001:db8::1]:3128/'],
  ['not by HTTP_PROXY: that is for http', hub, { HTTP_PROXY: 'http://a.test' }, 'direct'],
  ['to a hub on plain http', 'http://hub.test', { HTTP_PROXY: 'http://a.test' }, 'http://a.test/'],
  [
    'to a hub on plain http, not by HTTPS_PROXY',
    'http://hub.test',
    { HTTPS_PROXY: 'http://a.test' },
    'direct',
  ],
  ['past NO_PROXY', hub, { HTTPS_PROXY: 'http://a.test', NO_PROXY: '.example.com' }, 'direct'],
  ['past no_proxy', hub, { HTTPS_PROXY: 'http://a.test', no_proxy: 'example.com' }, 'direct'],
  ['to loopback', 'http://127.0.0.1:7700', { HTTP_PROXY: 'http://a.test' }, 'direct'],
  ['to loopback by name', 'https://localhost', { HTTPS_PROXY: 'http://a.test' }, 'direct'],
  ['to loopback by IPv6', 'https://[::1]', { HTTPS_PROXY: 'http://a.test' }, 'direct'],
] as const)('the way to a hub, %s', ([, address, env, expected]) => {
  expect(wayTo({ hub: address }, env)).toBe(expected)
})

describe('a saved proxy', () => {
  test.for([
    ['is used where the environment says nothing', {}, SAVED],
    ['gives way to the environment', { HTTPS_PROXY: 'http://a.test' }, 'http://a.test/'],
    ['gives way to NO_PROXY', { NO_PROXY: '*' }, 'direct'],
    ['stays where NO_PROXY is for others', { NO_PROXY: 'other.test' }, SAVED],
  ] as const)('%s, and so it is saved', ([, env, expected]) => {
    expect(wayTo({ hub, proxy: SAVED }, env)).toBe(expected)
    expect(proxyToSave({ hub, proxy: SAVED }, env) ?? 'direct').toBe(expected)
  })
})

test.for([
  ['is no URL', 'http://ada:secret@', 'The proxy in HTTPS_PROXY is not a URL'],
  [
    'speaks SOCKS',
    'socks5://ada:secret@a.test',
    'The proxy in HTTPS_PROXY is a socks5 proxy, which is not supported',
  ],
] as const)('a proxy that %s is refused, without its password', ([, value, message]) => {
  const error = thrownBy(() => proxyFor({ hub }, { HTTPS_PROXY: value }))
  expect(error.code).toBe('BAD_PROXY')
  expect(error.message).toBe(message)
})

test('a proxy is shown without its password', () => {
  expect(shownProxy(new URL('http://ada:secret@a.test:3128/'))).toBe('http://a.test:3128')
})
