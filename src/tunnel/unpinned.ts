/** Below this there is nothing to gain. */
const SMALL_MEMORY = 16 * 1024

/**
 * What is received is a view of everything that came in one read. Kept in a queue, a few bytes would keep all of that
 * alive, so they are copied.
 */
export function unpinned(bytes: Buffer): Buffer {
  const memory = bytes.buffer.byteLength
  return memory > SMALL_MEMORY && bytes.length * 4 < memory ? Buffer.from(bytes) : bytes
}
