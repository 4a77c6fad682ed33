// One hop of the chain that any relay in Node.js is measured by: `pipe-hop.ts TARGET_PORT`.
import { connect, createServer, type AddressInfo } from 'node:net'

const target = Number(process.argv[2])
const options = { allowHalfOpen: true, noDelay: true }
const server = createServer(options, (socket) => {
  const next = connect({ ...options, port: target, host: '127.0.0.1' })
  socket.pipe(next).pipe(socket)
  for (const [one, other] of [
    [socket, next],
    [next, socket],
  ] as const) {
    // 'close' follows.
    one.on('error', () => {})
    one.on('close', () => other.destroy())
  }
})
server.listen(0, '127.0.0.1', 4096, () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
