import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { MAX_FRAME_BYTES } from '../../src/tunnel/limits.ts'

/** One end of a WebSocket, and the TCP socket below it. */
export interface SocketEnd {
  readonly socket: WebSocket
  readonly raw: Socket
}

/** Real WebSockets on loopback, both ends of each in this process, with the options that links have. */
export class Loopback {
  readonly #server: Server
  readonly #sockets: WebSocketServer

  private constructor(server: Server) {
    this.#server = server
    this.#sockets = new WebSocketServer({ server, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  }

  static async start(): Promise<Loopback> {
    const server = createServer()
    const loopback = new Loopback(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return loopback
  }

  async pair(): Promise<{ dialled: SocketEnd; accepted: SocketEnd }> {
    const { port } = this.#server.address() as AddressInfo
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      generateMask: (mask) => void mask.fill(0),
    })
    const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>
    const connected = once(this.#sockets, 'connection') as Promise<[WebSocket, IncomingMessage]>
    const [[response], [accepted, request]] = await Promise.all([upgraded, connected])
    if (socket.readyState !== socket.OPEN) await once(socket, 'open')
    return {
      dialled: { socket, raw: response.socket },
      accepted: { socket: accepted, raw: request.socket },
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}
