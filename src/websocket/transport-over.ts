import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { WebSocketConnection } from './connection.ts'
import type { Transport, TransportOptions } from './transport.ts'

/** What ws listens to on a socket. */
const EVENTS = ['close', 'data', 'end', 'error'] as const

/**
 * What carries the messages after the handshake: it takes the socket over from ws, and leaves that nothing to do. To be
 * called when ws says 'open', which it does right after it has begun to listen.
 */
export function transportOver(_ws: WebSocket, socket: Socket, options: TransportOptions): Transport {
  socket.pause()
  for (const event of EVENTS) {
    const [latest] = socket.listeners(event).slice(-1)
    socket.removeListener(event, latest as () => void)
  }
  return new WebSocketConnection(socket, options)
}
