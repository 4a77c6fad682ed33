import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeHeader, FrameHeader, headerBytes, OPCODE } from '../../../src/websocket/frames/frame-header.ts'

function read(...bytes: number[]): FrameHeader {
  const header = new FrameHeader()
  header.read(Buffer.from(bytes), 0)
  return header
}

test('whatever is encoded is read as the same, wherever it stands', () => {
  const length = fc.oneof(
    fc.constantFrom(0, 125, 126, 65_535, 65_536, 2 ** 32, 2 ** 53 - 1),
    fc.maxSafeNat(),
    fc.nat(200),
  )
  const key = fc.option(fc.nat(0xffff_ffff), { nil: undefined })
  fc.assert(
    fc.property(length, key, fc.nat(20), (length, key, before) => {
      const bytes = encodeHeader(OPCODE.BINARY, length, key)
      expect(headerBytes(bytes[1]!)).toBe(bytes.length)
      const header = new FrameHeader()
      header.read(Buffer.concat([Buffer.alloc(before), bytes]), before)
      expect(header).toMatchObject({
        isFinal: true,
        opcode: OPCODE.BINARY,
        isMasked: key !== undefined,
        key: key ?? 0,
        length,
      })
    }),
    { numRuns: 1000 },
  )
})

test('a length takes the fewest bytes that it can', () => {
  const sizes = [0, 125, 126, 65_535, 65_536].map((length) => encodeHeader(2, length, undefined).length)
  expect(sizes).toEqual([2, 2, 4, 4, 10])
  expect(encodeHeader(2, 65_536, 1).length).toBe(14)
})

describe('§5.2: refused is', () => {
  test.for([
    ['the first reserved bit', [0xc2, 0], 'a frame with reserved bits'],
    ['the second', [0xa2, 0], 'a frame with reserved bits'],
    ['the third', [0x92, 0], 'a frame with reserved bits'],
    ['a reserved opcode for data', [0x83, 0], 'a frame with opcode 3'],
    ['the last of them', [0x87, 0], 'a frame with opcode 7'],
    ['a reserved opcode for control', [0x8b, 0], 'a frame with opcode 11'],
    ['the last of these', [0x8f, 0], 'a frame with opcode 15'],
    ['125 bytes written as 16 bits', [0x82, 126, 0, 125], 'a length that is not minimal'],
    [
      '65,535 bytes written as 64 bits',
      [0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255],
      'a length that is not minimal',
    ],
    [
      'a length with the highest bit set',
      [0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0],
      'a length of more than 63 bits',
    ],
    ['§5.5: a fragmented control frame', [0x09, 0], 'a fragmented control frame'],
    ['§5.5: a control frame of 126 bytes', [0x8a, 126, 0, 126], 'a control frame of 126 bytes'],
  ] as const)('%s', ([, bytes, message]) => {
    expect(() => read(...bytes)).toThrow(expect.objectContaining({ code: 1002, message }))
  })
})

test('§5.2: taken are the lengths on either side of the bounds', () => {
  expect(read(0x82, 125).length).toBe(125)
  expect(read(0x82, 126, 0, 126).length).toBe(126)
  expect(read(0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0).length).toBe(65_536)
  expect(read(0x82, 127, 127, 255, 0, 0, 0, 0, 0, 0).length).toBeGreaterThan(2 ** 62)
})

test('§5.5: a control frame may have 125 bytes', () => {
  expect(read(0x89, 125)).toMatchObject({ isControl: true, length: 125 })
})
