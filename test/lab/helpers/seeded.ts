import { createCipheriv, createHash, type Hash } from 'node:crypto'

const CHUNK = Buffer.alloc(256 * 1024)

/**
 * The same bytes for the same seed, however many: the keystream of AES in counter mode. So a gigabyte can be
 * sent and checked without a file.
 *
 * @param hash takes in what was made
 */
export function* seeded(seed: string, bytes: number, hash?: Hash): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    const chunk = cipher.update(CHUNK.subarray(0, Math.min(left, CHUNK.length)))
    hash?.update(chunk)
    yield chunk
  }
}

/** What seeded bytes must hash to. */
export function seededSha256(seed: string, bytes: number): string {
  const hash = createHash('sha256')
  for (const chunk of seeded(seed, bytes)) hash.update(chunk)
  return hash.digest('hex')
}
