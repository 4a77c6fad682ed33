import { giveBack } from '../../memory/pieces.ts'

/** A read of no more bytes than this is kept whole: there is nothing to gain. */
const SMALL_MEMORY = 16 * 1024

/**
 * Copies what is a small part of one read of a socket: received bytes are views of everything that came in
 * that read, and a few of them in a queue would keep all of it alive.
 *
 * @param share of the read that is too little to keep all of it for, default a quarter
 */
export function compact(bytes: Buffer, share = 0.25): Buffer {
  const memory = bytes.buffer.byteLength
  if (memory <= SMALL_MEMORY || bytes.length >= share * memory) return bytes
  const copy = Buffer.from(bytes)
  giveBack(bytes)
  return copy
}
