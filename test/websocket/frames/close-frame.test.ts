import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCloseCode } from '../../../src/websocket/frames/close-codes.ts'
import { decodeClose, encodeClose } from '../../../src/websocket/frames/close-frame.ts'

const text = fc
  .string({ unit: 'grapheme', maxLength: 120 })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 123)

test('code and reason arrive, the reason as one line', () => {
  const code = fc.integer({ min: 0, max: 65_535 }).filter(isCloseCode)
  fc.assert(
    fc.property(code, text, (code, reason) => {
      const line = reason.replaceAll(/\p{Cc}/gu, ' ').trim()
      expect(decodeClose(encodeClose(code, reason))).toEqual({ code, reason: line })
    }),
  )
})

test('control characters of a reason become spaces', () => {
  expect(decodeClose(encodeClose(1000, 'a\r\nb\u001b[31m\u0085c\n')).reason).toBe('a  b [31m c')
})

test('§5.5.1: a close frame may be empty, or has two bytes at least', () => {
  expect(encodeClose(undefined)).toHaveLength(0)
  expect(decodeClose(Buffer.alloc(0))).toEqual({ code: undefined, reason: '' })
  expect(() => decodeClose(Buffer.from([3]))).toThrow(expect.objectContaining({ code: 1002 }))
})

test.for([0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535])(
  '§7.4: %i is no code for a close frame',
  (code) => {
    expect(() => decodeClose(encodeClose(code))).toThrow(
      expect.objectContaining({ code: 1002, message: `a close frame with code ${code}` }),
    )
  },
)

test.for([1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])('§7.4: %i is one', (code) => {
  expect(decodeClose(encodeClose(code)).code).toBe(code)
})

test('§8.1: a reason that is not UTF-8 is refused', () => {
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    expect(() => decodeClose(Buffer.from([3, 232, ...bad]))).toThrow(expect.objectContaining({ code: 1007 }))
  }
})
