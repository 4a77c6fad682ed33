import { once } from 'node:events'
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import { loadHttp } from '../net/http.ts'
import { readBody } from '../net/read-body.ts'
import { NonceReply } from '../tunnel/protocol/handshake.ts'
import {
  requestWebSocket,
  type HandshakeReply,
  type HandshakeRequest,
} from '../websocket/client-handshake.ts'
import { hubConnector, type HubAddress } from './connection.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import { NonceError, parseResponse, type HubResponse } from './response.ts'

/** More than any hub would answer. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** An agent keeps connections by host and port; all of these lead to the one hub, whatever its address is. */
const ANY_HOST = 'hub'

/** Requests to a hub, one after another, over one connection as far as the hub keeps that open. */
export class HubSession {
  readonly #address: HubAddress
  readonly #signal: AbortSignal
  readonly #agent: Agent

  /** @param signal ends all requests, and the handshake of a WebSocket */
  constructor(address: HubAddress, signal: AbortSignal) {
    this.#address = address
    this.#signal = signal
    this.#agent = new (loadHttp().Agent)({ keepAlive: true, maxSockets: 1 })
    this.#agent.createConnection = hubConnector(address, signal)
  }

  /** Ends idle connections; one that a link has taken over goes on. */
  close(): void {
    this.#agent.destroy()
  }

  request(method: string, path: string, headers: Record<string, string> = {}): ClientRequest {
    const url = new URL(this.#address.hub + path)
    return loadHttp().request({
      method,
      host: ANY_HOST,
      path: url.pathname + url.search,
      headers: { host: url.host, ...headers },
      agent: this.#agent,
      signal: this.#signal,
    })
  }

  /** As requestWebSocket. */
  webSocket(
    path: string,
    { headers, ...how }: Omit<HandshakeRequest, 'url' | 'agent' | 'signal'>,
  ): Promise<HandshakeReply> {
    const url = new URL(this.#address.hub + path)
    return requestWebSocket({
      ...how,
      // TLS, if there is any, is the agent's.
      url: `ws://${ANY_HOST}${url.pathname}`,
      headers: { host: url.host, ...headers },
      agent: this.#agent,
      signal: this.#signal,
    })
  }

  /** @throws ConnectError HUB_UNREACHABLE */
  async exchange(
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<HubResponse> {
    try {
      const request = this.request(method, path, init.headers)
      const answered = once(request, 'response')
      // What goes wrong later shows in the response, too.
      request.on('error', () => {})
      request.end(init.body)
      const [response] = (await answered) as [IncomingMessage]
      const text = await readBody(response, MAX_BODY_BYTES)
      if (text === undefined) throw new Error('the answer is too large')
      return { status: response.statusCode ?? 0, header: (name) => response.headers[name]?.toString(), text }
    } catch (error) {
      throw hubUnreachable(this.#address.hub, this.#signal.aborted ? this.#signal.reason : error)
    }
  }

  /**
   * Does what the hub takes a signed nonce for; once more if the hub wants another one signed, as a hub does
   * that was started again meanwhile.
   *
   * @param nonce one that the hub has given; default: the hub is asked for one
   */
  async withNonce<T>(work: (nonce: string) => Promise<T>, nonce?: string): Promise<T> {
    try {
      return await work(nonce ?? (await this.#nonce()))
    } catch (error) {
      if (!(error instanceof NonceError)) throw error
      return work(error.nonce)
    }
  }

  async #nonce(): Promise<string> {
    const answer = await this.exchange('GET', '/v1/nonce')
    return parseResponse(this.#address.hub, NonceReply, answer).nonce
  }
}
