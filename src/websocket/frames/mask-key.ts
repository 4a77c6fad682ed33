import { randomFillSync } from 'node:crypto'

/** Random bytes for many keys: a call for each would cost more than the masking. */
const pool = Buffer.alloc(4096)
let used = pool.length

/** @returns four unpredictable bytes as a big-endian number */
export function randomKey(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const key = pool.readUInt32BE(used)
  used += 4
  return key
}
