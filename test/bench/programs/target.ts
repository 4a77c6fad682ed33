// What the tunnels lead to: echoes here, and hands bulk streams on to a process of their own, so that what a
// ping waits for is the tunnel, not this one's event loop.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { work } from '../processes/worker.ts'
import { decodeRequest, REQUEST_BYTES } from './request.ts'

/** What the bench may ask of it: the port it listens on. */
export interface TargetJobs {
  port: { input: undefined; output: number }
}

const bulk = fork(path.join(import.meta.dirname, 'target-bulk.ts'))
const server = createServer({ noDelay: true }, (socket) => {
  let head = Buffer.alloc(0)
  // A client may reset its connection: the bench looks at what arrives at the client.
  socket.on('error', () => {})
  const read = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    if (head.length < REQUEST_BYTES) return
    socket.off('data', read)
    const request = decodeRequest(head)
    if (request.mode === 'echo') {
      if (head.length > REQUEST_BYTES) socket.write(head.subarray(REQUEST_BYTES))
      socket.on('data', (bytes) => socket.write(bytes))
    } else {
      // The client sends no more until it hears that the other process is ready. That one waits for the
      // second message, which Node.js keeps back until this process has let go of the socket: else its next
      // bytes could end up here.
      socket.pause()
      bulk.send(request, socket)
      bulk.send('handed over')
    }
  }
  socket.on('data', read)
})
server.listen(0, '127.0.0.1', 4096)
await once(server, 'listening')

work<TargetJobs>({ port: () => (server.address() as AddressInfo).port })
