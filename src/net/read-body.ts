import type { IncomingMessage } from 'node:http'

/**
 * Reads the body of a request or an answer to its end, as UTF-8. Whoever sends it is not trusted: beyond the limit it is
 * not read on, and its connection is closed.
 *
 * @returns undefined if it is longer than `atMost` bytes
 * @throws what cuts it short
 */
export async function readBody(message: IncomingMessage, atMost: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > atMost) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
