import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocketServer } from 'ws'
import { itemsOf } from './header-list.ts'
import { transportOver } from './transport-over.ts'
import type { Transport } from './transport.ts'
import { WS_OPTIONS } from './ws-options.ts'

const VERSION = '13'

/** Why a request is answered with an HTTP error, and the lines of header that go with it. */
interface Refusal {
  readonly status: number
  readonly message: string
  readonly headers?: readonly string[]
}

/** The server's side of handshakes, on sockets that an HTTP server has taken. */
export class ServerHandshake {
  readonly #server: WebSocketServer
  readonly #protocol: string
  readonly #maxMessageBytes: number
  /** What ws said of a request that it did not accept. */
  readonly #failures: Error[] = []

  private constructor(server: WebSocketServer, protocol: string, maxMessageBytes: number) {
    this.#server = server
    this.#protocol = protocol
    this.#maxMessageBytes = maxMessageBytes
    server.on('wsClientError', (error) => this.#failures.push(error))
  }

  /**
   * @param protocol the subprotocol that is served
   * @param header a line that each answer shall have besides
   */
  static async load(protocol: string, maxMessageBytes: number, header: string): Promise<ServerHandshake> {
    // Slow to load, and not needed before.
    const { WebSocketServer } = await import('ws')
    const options = {
      ...WS_OPTIONS,
      noServer: true,
      clientTracking: false,
      maxPayload: maxMessageBytes,
      handleProtocols: () => protocol,
    }
    const server = new WebSocketServer(options)
    server.on('headers', (headers) => headers.push(header))
    return new ServerHandshake(server, protocol, maxMessageBytes)
  }

  /** Refuses what ws leaves to its user, or answers otherwise than RFC 6455 §4.4 and RFC 9110 §15.5.6. */
  check({ method, headers }: IncomingMessage): Refusal | undefined {
    if (method !== 'GET')
      return { status: 405, message: 'A WebSocket is asked for with GET.', headers: ['Allow: GET'] }
    if (headers['sec-websocket-version'] !== VERSION) {
      const message = `Only version ${VERSION} of WebSocket is served.`
      return { status: 426, message, headers: [`Sec-WebSocket-Version: ${VERSION}`] }
    }
    if (!itemsOf(headers['sec-websocket-protocol']).includes(this.#protocol))
      return { status: 400, message: `Only the subprotocol ${this.#protocol} is served.` }
    return undefined
  }

  /**
   * Answers the request, and takes over its socket.
   *
   * @param head what came with the request already
   * @returns undefined if the client has gone
   * @throws Error if the request is no proper one; nothing was answered then
   */
  accept(request: IncomingMessage, socket: Socket, head: Buffer): Transport | undefined {
    let transport: Transport | undefined
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      transport = transportOver(ws, socket, { role: 'server', maxMessageBytes: this.#maxMessageBytes })
    })
    // ws has called back, or told of a failure, when handleUpgrade returns.
    const failure = this.#failures.pop()
    if (failure) throw failure
    return transport
  }
}
