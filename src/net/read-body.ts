import type { IncomingMessage } from 'node:http'

/**
 * Reads the body of a request or an answer to its end, as UTF-8. Whoever sends it is not trusted: beyond the
 * limit nothing is read, and the connection is closed.
 *
 * @returns undefined if the body is longer than `atMost` bytes
 * @throws the error that cut the body short
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
