import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomKey } from '../../../src/websocket/frames/mask-key.ts'
import { mask, maskedCopy } from '../../../src/websocket/frames/mask.ts'

const key = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0xff00_0000, 0xffff_ffff))

/** RFC 6455 §5.3, word for word. */
function maskedByTheBook(bytes: Uint8Array, key: number, offset: number): Buffer {
  const keyBytes = Buffer.alloc(4)
  keyBytes.writeUInt32BE(key)
  return Buffer.from(bytes.map((byte, i) => byte ^ keyBytes[(offset + i) % 4]!))
}

test('each byte meets its byte of the key, wherever it lies in memory and in the frame', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      key,
      fc.nat(9),
      fc.nat(100_000),
      (bytes, key, lead, offset) => {
        const memory = new Uint8Array(lead + bytes.length + 9).fill(0x5a)
        memory.set(bytes, lead)
        mask(memory.subarray(lead, lead + bytes.length), key, offset)
        expect(Buffer.from(memory.subarray(lead, lead + bytes.length))).toEqual(
          maskedByTheBook(bytes, key, offset),
        )
        // Nothing beside it was touched.
        expect(memory.subarray(0, lead).every((byte) => byte === 0x5a)).toBe(true)
        expect(memory.subarray(lead + bytes.length).every((byte) => byte === 0x5a)).toBe(true)
      },
    ),
    { numRuns: 2000 },
  )
})

test('masked twice it is what it was, also in other portions', () => {
  const portions = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 20 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), key, portions, (bytes, key, portions) => {
      const masked = maskedCopy(Buffer.from(bytes), key, 0)
      let at = 0
      for (const portion of [...portions, masked.length]) {
        mask(masked.subarray(at, at + portion), key, at)
        at = Math.min(at + portion, masked.length)
      }
      expect(masked).toEqual(Buffer.from(bytes))
    }),
    { numRuns: 300 },
  )
})

test('a masked copy leaves the original as it was', () => {
  const original = Buffer.alloc(100, 7)
  expect(maskedCopy(original, 0x01020304, 0).subarray(0, 4)).toEqual(Buffer.from([6, 5, 4, 3]))
  expect(original).toEqual(Buffer.alloc(100, 7))
})

test('keys differ, far beyond one filling of the pool', () => {
  // Of 3000 out of 2^32, one pair in a thousand runs may be the same; four of them never.
  expect(new Set(Array.from({ length: 3000 }, randomKey)).size).toBeGreaterThan(2996)
})
