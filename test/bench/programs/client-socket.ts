import { connect, type Socket } from 'node:net'
import { encodeRequest, type Request } from './request.ts'

const TIMEOUT_MS = 30_000

/** Connects, and says what is wanted. What is written next goes out in the same segment. */
export async function open(port: number, request: Request): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  // 'close' follows, and whoever waits hears of that.
  socket.on('error', () => {})
  await settled(socket, 'connect')
  socket.cork()
  socket.write(encodeRequest(request))
  process.nextTick(() => socket.uncork())
  if (request.mode !== 'echo') await settled(socket, 'data')
  return socket
}

/** One byte there and back. @returns ms */
export async function roundTrip(socket: Socket): Promise<number> {
  const start = performance.now()
  socket.write(Buffer.of(0))
  await settled(socket, 'data')
  return performance.now() - start
}

/** @throws Error if the connection ends instead, or nothing comes for long */
function settled(socket: Socket, event: 'connect' | 'data'): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const fail = (error?: Error | boolean) =>
    reject(error instanceof Error ? error : new Error('it was closed'))
  const timer = setTimeout(() => fail(new Error(`no ${event} in ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
  socket.once(event, resolve)
  socket.once('error', fail)
  socket.once('close', fail)
  return promise.finally(() => {
    clearTimeout(timer)
    socket.off(event, resolve)
    socket.off('error', fail)
    socket.off('close', fail)
  })
}
