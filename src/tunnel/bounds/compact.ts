/** Below this there is nothing to gain. */
const SMALL_MEMORY = 16 * 1024

/**
 * What is received is a view of everything that came in one read. Kept in a queue, a few bytes would keep all of that
 * alive, so they are copied.
 *
 * @param share of the read that is too little to keep all of it for, default a quarter
 */
export function compact(bytes: Buffer, share = 0.25): Buffer {
  const memory = bytes.buffer.byteLength
  return memory > SMALL_MEMORY && bytes.length < share * memory ? Buffer.from(bytes) : bytes
}
