import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/** A client connection that is being made, and may be half-closed. */
export function dial(port: number): Socket {
  return connect({ port, host: '127.0.0.1', allowHalfOpen: true })
}

/** One that is made. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = dial(port)
  await once(socket, 'connect')
  return socket
}

/** How a connection came to its end, as its client sees it. */
export interface Ending {
  /** `end` is a clean one, which a client takes for all there is; anything else is an error's code. */
  readonly how: string
  readonly bytes: number
  /** From this call on. */
  readonly afterMs: number
}

/** Reads whatever comes until the connection ends, one way or the other. */
export async function readToEnding(socket: Socket): Promise<Ending> {
  const began = performance.now()
  let bytes = 0
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  socket.on('end', () => resolve('end'))
  const how = await promise
  socket.destroy()
  return { how, bytes, afterMs: performance.now() - began }
}
