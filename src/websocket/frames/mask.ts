import { keep } from '../../memory/pieces.ts'

/** With fewer bytes than this a view of words costs more than it saves. */
const WORDWISE_BYTES = 32

const keyBytes = new Uint8Array(4)
const keyWord = new Int32Array(keyBytes.buffer)

/**
 * Masks in place, or unmasks: RFC 6455 §5.3.
 *
 * @param key the mask's four bytes as a big-endian number
 * @param offset of the first byte within the frame's payload
 */
export function mask(bytes: Uint8Array, key: number, offset: number): void {
  const { buffer, byteOffset, length } = bytes
  if (length < WORDWISE_BYTES) return maskBytewise(bytes, 0, length, key, offset)
  const start = -byteOffset & 3
  const words = new Int32Array(buffer, byteOffset + start, (length - start) >>> 2)
  const end = start + words.length * 4
  maskBytewise(bytes, 0, start, key, offset)
  // The key is written as bytes and read as a word: it has the machine's byte order, as the payload's words.
  for (let i = 0; i < 4; i++) keyBytes[i] = keyByte(key, offset + start + i)
  const word = keyWord[0]!
  for (let i = 0; i < words.length; i++) words[i]! ^= word
  maskBytewise(bytes, end, length, key, offset)
}

function maskBytewise(bytes: Uint8Array, from: number, to: number, key: number, offset: number): void {
  for (let at = from; at < to; at++) bytes[at]! ^= keyByte(key, offset + at)
}

function keyByte(key: number, at: number): number {
  return (key >>> (24 - 8 * (at & 3))) & 0xff
}

/**
 * @param offset of the first byte within the frame's payload
 * @returns memory that may be given back, see memory/pieces.ts
 */
export function maskedCopy(bytes: Buffer, key: number, offset: number): Buffer {
  const copy = keep(bytes)
  mask(copy, key, offset)
  return copy
}
