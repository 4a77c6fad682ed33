import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../../../src/tunnel/protocol/limits.ts'
import { requestWebSocket } from '../../../src/websocket/client-handshake.ts'
import { ServerHandshake } from '../../../src/websocket/server-handshake.ts'
import type { Transport, TransportHandler } from '../../../src/websocket/transport.ts'

/** One end of a WebSocket, and the TCP socket below it. */
interface End<Kind> {
  readonly socket: Kind
  readonly raw: Socket
}

/** A test may look at what comes in, before it is handed over. */
interface Watched extends Transport {
  watch: (bytes: Buffer) => void
}

/** An end that a link can be made of. */
export type LinkEnd = End<Watched>

/** An end that a test plays; a program that isn't ours speaks there. */
export type PeerEnd = End<WebSocket>

function watched(transport: Transport): Watched {
  const attach = transport.attach.bind(transport)
  const end: Watched = Object.assign(transport, {
    watch: () => {},
    attach: (handler: TransportHandler) =>
      attach({
        ...handler,
        message(chunks, bytes) {
          end.watch(Buffer.concat(chunks, bytes))
          handler.message(chunks, bytes)
        },
      }),
  })
  return end
}

const OPTIONS = { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false } as const

/** Real WebSockets on loopback, both ends of each in this process, with the options that links have. */
export class Loopback {
  readonly #server: Server
  readonly #handshake: ServerHandshake
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, handshake: ServerHandshake) {
    this.#server = server
    this.#handshake = handshake
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<Loopback> {
    const server = createServer()
    const loopback = new Loopback(
      server,
      await ServerHandshake.load(SUBPROTOCOL, MAX_FRAME_BYTES, 'X-Test: 1'),
    )
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
    const transport = this.#handshake.accept(request, raw, head)
    if (!transport) throw new Error('the client has gone')
    return { raw, socket: watched(transport) }
  }

  async #dial(): Promise<LinkEnd> {
    let raw: Socket
    const { transport } = await requestWebSocket({
      url: this.#url.replace('http', 'ws'),
      agent: new Agent(),
      headers: {},
      protocol: SUBPROTOCOL,
      masks: false,
      maxMessageBytes: MAX_FRAME_BYTES,
      signal: AbortSignal.timeout(30_000),
      check: (response) => (raw = response.socket),
    })
    if (!transport) throw new Error('no WebSocket')
    return { raw: raw!, socket: watched(transport) }
  }
}
