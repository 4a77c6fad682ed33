import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../../src/tunnel/limits.ts'
import { WebSocketConnection } from '../../src/websocket/connection.ts'
import { answerUpgrade, checkUpgrade, upgradeHeaders } from '../../src/websocket/handshake.ts'
import type { TransportHandler } from '../../src/websocket/transport.ts'

/** One end of a WebSocket, and the TCP socket below it. */
interface End<Kind> {
  readonly socket: Kind
  readonly raw: Socket
}

/** An end that a link can be made of. */
export type LinkEnd = End<WatchedConnection>

/** An end that a test plays; a program that isn't ours speaks there. */
export type PeerEnd = End<WebSocket>

/** A test may look at what comes in, before it is handed over. */
class WatchedConnection extends WebSocketConnection {
  watch: (bytes: Buffer) => void = () => {}

  override attach(handler: TransportHandler): void {
    super.attach({
      message: (pieces, bytes) => {
        this.watch(Buffer.concat(pieces, bytes))
        handler.message(pieces, bytes)
      },
      closed: (reason) => handler.closed(reason),
    })
  }
}

const OPTIONS = { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false } as const

/** Real WebSockets on loopback, both ends of each in this process, with the options that links have. */
export class Loopback {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<Loopback> {
    const server = createServer()
    const loopback = new Loopback(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return loopback
  }

  /** Both ends for links. */
  async pair(): Promise<{ dialled: LinkEnd; accepted: LinkEnd }> {
    const [dialled, accepted] = await Promise.all([this.#dial(), this.#accept()])
    return { dialled, accepted }
  }

  async dialledByPeer(): Promise<{ near: LinkEnd; peer: PeerEnd }> {
    const socket = new WebSocket(this.#url, SUBPROTOCOL, OPTIONS)
    const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>
    const [[response], near] = await Promise.all([upgraded, this.#accept()])
    if (socket.readyState !== socket.OPEN) await once(socket, 'open')
    return { near, peer: { socket, raw: response.socket } }
  }

  async acceptedByPeer(): Promise<{ near: LinkEnd; peer: PeerEnd }> {
    const sockets = new WebSocketServer({ noServer: true, ...OPTIONS })
    const accepted = this.#upgrade().then(
      ({ request, raw, head }) =>
        new Promise<PeerEnd>((resolve) =>
          sockets.handleUpgrade(request, raw, head, (socket) => resolve({ socket, raw })),
        ),
    )
    const [near, peer] = await Promise.all([this.#dial(), accepted])
    return { near, peer }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  get #url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #upgrade(): Promise<{ request: IncomingMessage; raw: Socket; head: Buffer }> {
    const [request, raw, head] = (await once(this.#server, 'upgrade')) as [IncomingMessage, Socket, Buffer]
    return { request, raw, head }
  }

  async #accept(): Promise<LinkEnd> {
    const { request, raw, head } = await this.#upgrade()
    const answer = answerUpgrade(request, SUBPROTOCOL, [])
    if (!answer.accepted) throw new Error(answer.message)
    raw.write(answer.response)
    return {
      raw,
      socket: new WatchedConnection(raw, { role: 'server', maxMessageBytes: MAX_FRAME_BYTES, head }),
    }
  }

  async #dial(): Promise<LinkEnd> {
    const { key, headers } = upgradeHeaders(SUBPROTOCOL)
    const request = ask(this.#url, { headers }).end()
    const [response, raw, head] = (await once(request, 'upgrade')) as [IncomingMessage, Socket, Buffer]
    checkUpgrade(response, key, SUBPROTOCOL)
    const options = { role: 'client', masks: false, maxMessageBytes: MAX_FRAME_BYTES, head } as const
    return { raw, socket: new WatchedConnection(raw, options) }
  }
}
