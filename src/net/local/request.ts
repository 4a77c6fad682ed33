import { lstatSync } from 'node:fs'
import { connect } from 'node:net'
import { codeOf } from '../../errors.ts'

/** The longest answer that is read; what an agent or a hub says is far shorter. In bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024

export interface LocalRequest {
  readonly socketPath: string
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly timeoutMs: number
}

export interface LocalAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Sends a request to whoever listens on a socket of this user's. Not by node:http, which takes a fifth as
 * long as a bare Node.js, and `daemon status` has to wait for it.
 *
 * @returns undefined if nobody listens
 * @throws the system's error; a TimeoutError; Error if the answer is too large, or none
 */
export async function requestLocally(options: LocalRequest): Promise<LocalAnswer | undefined> {
  if (!isOurs(options.socketPath)) return undefined
  try {
    return readAnswer(await exchange(options))
  } catch (error) {
    // Nobody listens: no socket, or a dead process's.
    if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** By HTTP/1.0: the answer ends with the connection, and never comes in chunks (RFC 1945). */
function exchange({ socketPath, method, path, body = '', timeoutMs }: LocalRequest): Promise<Buffer> {
  if (!/^[!-~]+$/.test(path)) throw new Error(`${JSON.stringify(path)} is no path of a request`)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let bytes = 0
  const socket = connect(socketPath)
  const timer = setTimeout(
    () => socket.destroy(new DOMException('no answer in time', 'TimeoutError')),
    timeoutMs,
  )
  socket.once('error', reject)
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) socket.destroy(new Error('the answer is too large'))
    else chunks.push(chunk)
  })
  socket.once('close', () => {
    clearTimeout(timer)
    resolve(Buffer.concat(chunks))
  })
  const head = [`${method} ${path} HTTP/1.0`, 'Host: localhost', `Content-Length: ${Buffer.byteLength(body)}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  return promise
}

function readAnswer(answer: Buffer): LocalAnswer {
  const end = answer.indexOf('\r\n\r\n')
  const head = answer.toString('latin1', 0, Math.max(0, end))
  const [, status] = /^HTTP\/1\.\d (\d{3})\b/.exec(head) ?? []
  if (status === undefined) throw new Error('the connection was closed without an answer')
  const body = answer.subarray(end + 4)
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (length !== undefined && body.length < Number(length)) throw new Error('the answer broke off')
  return { status: Number(status), text: body.toString('utf8') }
}

/** In a folder where others may write, as /tmp, a socket of that name can be anybody's. */
function isOurs(socketPath: string): boolean {
  // A named pipe on Windows.
  if (process.platform === 'win32') return true
  return lstatSync(socketPath, { throwIfNoEntry: false })?.uid === process.getuid?.()
}
