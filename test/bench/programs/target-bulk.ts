// The target's other process: takes bulk streams in, or sends them.
import { Socket, type SocketConstructorOpts } from 'node:net'
import { crc32 } from 'node:zlib'
import { sendPattern } from './pattern.ts'
import { READY, type Request } from './request.ts'

/** All streams are read into one piece of memory: what costs is to be the tunnel. */
const buffer = Buffer.allocUnsafe(256 * 1024)

let begin = () => {}

process.on('message', (message: Request | 'handed over', socket?: Socket) => {
  if (message === 'handed over') begin()
  else begin = () => serve(socket!, message)
})
process.on('disconnect', () => process.exit())

function serve(accepted: Socket, request: Request): void {
  const take = request.mode === 'source' ? () => sendPattern(socket, request.bytes) : intake(request)
  const socket = readInto(accepted, (bytes) => {
    const answer = take(bytes)
    if (answer) socket.write(answer)
  })
  // A client may reset its connection: the bench looks at what arrives at the client.
  socket.on('error', () => {})
  socket.setNoDelay(true)
  socket.write(Buffer.of(READY))
}

/** Node.js lets only who connects choose where it reads to: so a new socket gets the connection's handle. */
function readInto(accepted: Socket, take: (bytes: Buffer) => void): Socket {
  type Handle = NonNullable<SocketConstructorOpts['handle']>
  const { _handle: handle } = accepted as Socket & { readonly _handle: Handle }
  const callback = (bytes: number) => {
    take(buffer.subarray(0, bytes))
    return true
  }
  return new Socket({ handle, onread: { buffer, callback } })
}

/** Counts, and answers with the checksum (0 if none was asked for) once all is there. */
function intake({ mode, bytes }: Request): (chunk: Buffer) => Buffer | undefined {
  let received = 0
  let checksum = 0
  return (chunk) => {
    received += chunk.length
    if (mode === 'checked sink') checksum = crc32(chunk, checksum)
    if (received < bytes) return undefined
    const answer = Buffer.alloc(4)
    // More than was sent is as wrong as other bytes.
    answer.writeUInt32BE(received === bytes ? checksum : 0)
    return answer
  }
}
