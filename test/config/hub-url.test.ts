import { describe, expect, test } from 'vitest'
import { isLoopback, parseHubUrl } from '../../src/config/hub-url.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const parse = (text: string) => parseHubUrl(text, { insecure: false })

describe('a hub URL', () => {
  test.for([
    ['https://hub.example.com', 'https://hub.example.com'],
    ['https://hub.example.com/', 'https://hub.example.com'],
    ['HTTPS://Hub.Example.com:443', 'https://hub.example.com'],
    ['https://hub.example.com:8443/team//', 'https://hub.example.com:8443/team'],
    ['wss://hub.example.com', 'https://hub.example.com'],
    ['ws://localhost:7700', 'http://localhost:7700'],
    ['http://127.0.0.1:7700', 'http://127.0.0.1:7700'],
    ['http://127.8.9.10', 'http://127.8.9.10'],
    ['http://[::1]:7700', 'http://[::1]:7700'],
    ['http://hub.localhost', 'http://hub.localhost'],
    ['hub.example.com', 'https://hub.example.com'],
    ['hub.example.com:8443/team', 'https://hub.example.com:8443/team'],
    ['127.0.0.1:7700', 'http://127.0.0.1:7700'],
    ['localhost:7700', 'http://localhost:7700'],
    ['[::1]:7700', 'http://[::1]:7700'],
  ] as const)('%s is brought into the form %s', ([text, url]) => {
    expect(parse(text)).toBe(url)
    expect(parse(url)).toBe(url)
  })

  test.for([
    ['words', 'our hub'],
    ['a user name and no scheme', 'ada:hunter2@hub.example.com'],
    ['nothing at all', ''],
    ['no host', 'https://'],
    ['a port that is none', 'https://hub.example.com:99999'],
    ['ftp', 'ftp://hub.example.com'],
    ['file', 'file:///etc/passwd'],
    ['javascript', 'javascript:alert(1)'],
    ['a query', 'https://hub.example.com/?a=b'],
    ['a fragment', 'https://hub.example.com/#a'],
    ['a user name', 'https://ada@hub.example.com'],
    ['a password', 'https://ada:hunter2@hub.example.com'],
    ['a password and another scheme', 'ftp://ada:hunter2@hub.example.com'],
    ['a password and a port that is none', 'https://ada:hunter2@hub.example.com:99999'],
    ['a password and a query', 'https://ada:hunter2@hub.example.com/?a'],
  ] as const)('is refused with %s, and no password is printed', ([, text]) => {
    const error = thrownBy(() => parse(text))
    expect(error.code).toBe('BAD_HUB_URL')
    expect(error.message).not.toContain('hunter2')
  })

  test.for([
    'http://hub.example.com',
    'ws://10.0.0.1:7700',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0:7700',
  ])('%s is refused unless --insecure is given', (text) => {
    expect(thrownBy(() => parse(text)).code).toBe('INSECURE_HUB')
    expect(parseHubUrl(text, { insecure: true })).toMatch(/^http:/)
  })
})

test.for([
  ['localhost', true],
  ['LOCALHOST', true],
  ['a.localhost', true],
  ['127.0.0.1', true],
  ['127.255.0.3', true],
  ['::1', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['127.0.0.1.example.com', false],
  ['notlocalhost', false],
] as const)('whether %s can only mean this machine: %s', ([host, answer]) => {
  expect(isLoopback(host)).toBe(answer)
})
