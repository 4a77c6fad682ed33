import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ServerHandshake } from '../../../src/websocket/server-handshake.ts'

type Answer = (request: IncomingMessage, socket: Socket, head: Buffer) => void

/** An HTTP server that serves WebSockets, unless a test has it answer otherwise. */
export class UpgradeServer {
  readonly handshake: ServerHandshake
  /** What it does with a request to upgrade. */
  answer: Answer
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(handshake: ServerHandshake) {
    this.handshake = handshake
    this.answer = this.accept
    this.#server = createServer((_request, response) => response.writeHead(404).end('not here'))
    this.#server.on('connection', (socket) => this.#sockets.add(socket))
    this.#server.on('upgrade', (request, socket: Socket, head) => this.answer(request, socket, head))
  }

  static async start(handshake: ServerHandshake): Promise<UpgradeServer> {
    const server = new UpgradeServer(handshake)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): { port: number; host: string } {
    return { port: (this.#server.address() as AddressInfo).port, host: '127.0.0.1' }
  }

  readonly accept: Answer = (request, socket, head) => {
    const refusal = this.handshake.check(request)
    try {
      if (!refusal) this.handshake.accept(request, socket, head)
    } catch (error) {
      socket.end(`HTTP/1.1 400 No\r\nConnection: close\r\n\r\n${String(error)}`)
    }
    if (!refusal) return
    const lines = [`HTTP/1.1 ${refusal.status} No`, 'Connection: close', ...(refusal.headers ?? [])]
    socket.end([...lines, '', refusal.message].join('\r\n'))
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
