import { createCipheriv } from 'node:crypto'
import type { Socket } from 'node:net'
import { crc32 } from 'node:zlib'

/** Random-looking bytes, the same in every process, of a length that falls together with no buffer's. */
const PATTERN = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(
  Buffer.alloc(1024 * 1024 - 3),
)
const WRITE_BYTES = 256 * 1024

/** Sends so many bytes of the pattern, as fast as the socket takes them, until then or its end. */
export function sendPattern(socket: Socket, bytes: number): void {
  let sent = 0
  const go = () => {
    while (sent < bytes && !socket.destroyed) {
      const from = sent % PATTERN.length
      const chunk = PATTERN.subarray(from, from + Math.min(WRITE_BYTES, bytes - sent))
      sent += chunk.length
      if (!socket.write(chunk)) return
    }
    socket.off('drain', go)
  }
  socket.on('drain', go)
  go()
}

/** The checksum of the first bytes of the pattern. */
export function patternChecksum(bytes: number): number {
  let checksum = 0
  for (let at = 0; at < bytes; at += PATTERN.length)
    checksum = crc32(PATTERN.subarray(0, Math.min(PATTERN.length, bytes - at)), checksum)
  return checksum
}
