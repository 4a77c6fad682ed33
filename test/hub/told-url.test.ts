import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { toldUrl } from '../../src/hub/told-url.ts'

test.for([
  [{ host: '127.0.0.1' }, 'http://127.0.0.1:7700'],
  [{ host: '::1', tls: 'own' }, 'https://[::1]:7700'],
  [{ host: 'hub.test', tls: 'own' }, 'https://hub.test:7700'],
  [{ host: '0.0.0.0', tls: 'own', url: 'https://hub.example.com' }, 'https://hub.example.com'],
] as const)('others are told of a hub with %j that it is at %s', ([serving, url]) => {
  expect(toldUrl(serving, 7700)).toBe(url)
})

test('of a hub on all addresses of IPv4 they are told one of these', () => {
  const { hostname, port } = new URL(toldUrl({ host: '0.0.0.0', tls: 'own' }, 7700))
  expect([isIP(hostname), port]).toEqual([4, '7700'])
})
