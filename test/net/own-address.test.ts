import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { isOwnAddress, leadsTo } from '../../src/net/own-address.ts'

const lan = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

test.for([
  ['127.0.0.1', '127.0.0.1', true],
  ['0.0.0.0', '127.0.0.1', true],
  ['::ffff:127.0.0.1', '127.0.0.1', true],
  ['0:0:0:0:0:0:0:1', '::1', true],
  ['::', '::1', true],
  ['127.0.0.1', '0.0.0.0', true],
  ['127.0.0.1', '::', true],
  ['::1', '::', true],
  ['::1', '127.0.0.1', false],
  ['127.0.0.2', '127.0.0.1', false],
  ['::1', '0.0.0.0', false],
  ['192.0.2.1', '0.0.0.0', false],
  ['2001:db8::1', '::', false],
] as const)('whoever dials %s gets to what listens on %s, or not', ([address, listener, leads]) => {
  expect(leadsTo(address, listener)).toBe(leads)
})

test.skipIf(lan === undefined)(
  'an address of an interface is this machine’s, by either family’s wildcard',
  () => {
    expect(isOwnAddress(lan!)).toBe(true)
    expect([lan!, '0.0.0.0', '::', '127.0.0.1'].map((listener) => leadsTo(lan!, listener))).toEqual([
      true,
      true,
      true,
      false,
    ])
  },
)
