import { randomFillSync } from 'node:crypto'
import { STREAM_KEY_BYTES } from './frames.ts'

/** Random bytes for many keys: a call for each would take as long as all else that a new stream needs. */
const pool = Buffer.alloc(256 * STREAM_KEY_BYTES)
let used = pool.length

/** @returns the name of a new stream, which nobody can guess */
export function randomStreamKey(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += STREAM_KEY_BYTES
  return Buffer.from(pool.subarray(used - STREAM_KEY_BYTES, used))
}
