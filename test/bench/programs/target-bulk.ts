// The target's other process: takes bulk streams in, or sends them.
import type { Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import { sendPattern } from './pattern.ts'
import { READY, type Request } from './request.ts'

let begin = () => {}

process.on('message', (message: Request | 'handed over', socket?: Socket) => {
  if (message === 'handed over') begin()
  else begin = () => serve(socket!, message)
})
process.on('disconnect', () => process.exit())

function serve(socket: Socket, request: Request): void {
  // A client may reset its connection: the bench looks at what arrives at the client.
  socket.on('error', () => {})
  socket.setNoDelay(true)
  if (request.mode === 'source') socket.once('data', () => sendPattern(socket, request.bytes))
  else takeIn(socket, request)
  socket.resume()
  socket.write(Buffer.of(READY))
}

/** Counts, and answers with the checksum (0 if none was asked for) once all is there. */
function takeIn(socket: Socket, { mode, bytes }: Request): void {
  let received = 0
  let checksum = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (mode === 'checked sink') checksum = crc32(chunk, checksum)
    if (received < bytes) return
    const answer = Buffer.alloc(4)
    // More than was sent is as wrong as other bytes.
    answer.writeUInt32BE(received === bytes ? checksum : 0)
    socket.write(answer)
  })
}
