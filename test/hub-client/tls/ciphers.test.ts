import { expect, test } from 'vitest'
import { offeredCiphers } from '../../../src/hub-client/tls/ciphers.ts'

const USUAL = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'
const PI_4 = 'processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\n'
const PI_5 = 'processor\t: 0\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\n'

test('a client whose processor has no instructions for AES offers ChaCha20 first', () => {
  expect(offeredCiphers(USUAL, 'arm64', PI_4)).toBe(`TLS_CHACHA20_POLY1305_SHA256:${USUAL}`)
})

test.for([
  ['an ARM with them', 'arm64', PI_5],
  ['an ARM that is not told', 'arm64', ''],
  ['a PC', 'x64', 'flags\t\t: fpu sse2 aes\n'],
] as const)('%s offers what Node.js does', ([, arch, cpuinfo]) => {
  expect(offeredCiphers(USUAL, arch, cpuinfo)).toBe(USUAL)
})
