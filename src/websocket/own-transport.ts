import { WebSocketConnection } from './connection.ts'
import type { TransportOver } from './transport.ts'

/** What ws listens to on a socket. */
const EVENTS = ['close', 'data', 'end', 'error'] as const

/** Takes the socket over from ws, which has no more to do: a connection of our own carries the messages. */
export const ownTransport: TransportOver = (ws, socket, options) => {
  socket.pause()
  // ws hangs on the socket, by a symbol of its own: it and what it has made take more than a kilobyte.
  for (const key of Object.getOwnPropertySymbols(socket))
    if (Reflect.get(socket, key) === ws) Reflect.set(socket, key, undefined)
  for (const event of EVENTS) {
    // ws has just begun to listen: its listener is the latest.
    const [latest] = socket.listeners(event).slice(-1)
    socket.removeListener(event, latest as () => void)
  }
  return new WebSocketConnection(socket, options)
}
