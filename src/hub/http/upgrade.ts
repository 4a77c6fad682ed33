import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '../../errors.ts'
import { Link } from '../../tunnel/link/link.ts'
import { LinkClaims } from '../../tunnel/protocol/handshake.ts'
import { hasToken } from '../../websocket/header-list.ts'
import type { ServerHandshake } from '../../websocket/server-handshake.ts'
import type { Transport } from '../../websocket/transport.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { RefusedError } from '../auth/refused-error.ts'
import type { LinkTable } from '../links/link-table.ts'
import type { Registry } from '../registry/registry.ts'
import { ConcurrencyLimit, type ConcurrencyOptions } from './concurrency-limit.ts'
import { holdBack, pathOf, refuseOn } from './response.ts'

/** How a link comes in: all of the request is checked before the WebSocket is accepted. */
export class LinkUpgrade {
  readonly #registry: Registry
  readonly #links: LinkTable
  readonly #authenticator: Authenticator
  readonly #concurrency: ConcurrencyLimit
  readonly #handshake: ServerHandshake

  constructor(
    registry: Registry,
    links: LinkTable,
    authenticator: Authenticator,
    handshake: ServerHandshake,
    concurrency?: ConcurrencyOptions,
  ) {
    this.#registry = registry
    this.#links = links
    this.#authenticator = authenticator
    this.#concurrency = new ConcurrencyLimit(concurrency)
    this.#handshake = handshake
  }

  /** @returns whether the connection is a link now */
  async answer(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> {
    // A client that goes away must not be an uncaught error; a WebSocket has a listener of its own.
    socket.on('error', () => {})
    try {
      if (pathOf(request) !== '/v1/link') throw new RefusedError(404, 'not_found', 'Links are at /v1/link.')
      // Only browsers send an Origin, and no page has any business here.
      if (request.headers.origin !== undefined)
        throw new RefusedError(403, 'bad_request', 'Not for browsers.')
      const failure = this.#handshake.check(request)
      if (failure) {
        const refusal = new RefusedError(failure.status, 'bad_request', failure.message)
        refuseOn(socket, this.#registry.hubId, refusal, failure.headers)
        return false
      }
      const { authorization } = request.headers
      const { agent, claims } = await this.#concurrency.run(() =>
        this.#authenticator.authenticate(authorization, LinkClaims),
      )
      this.#links.checkEpoch(agent, claims)
      const transport = this.#accept(request, socket as Socket, head)
      if (!transport) return false
      this.#links.add(agent, claims, new Link(transport), request.socket.remoteAddress)
      return true
    } catch (error) {
      await holdBack(error)
      refuseOn(socket, this.#registry.hubId, error)
      return false
    }
  }

  /** @throws RefusedError */
  #accept(request: IncomingMessage, socket: Socket, head: Buffer): Transport | undefined {
    try {
      return this.#handshake.accept(request, socket, head)
    } catch (error) {
      throw new RefusedError(400, 'bad_request', `${messageOf(error)}.`)
    }
  }
}

/** Whether a request with `Upgrade` wants a link; any other is to be answered as it is. */
export function isForLink(request: IncomingMessage): boolean {
  return hasToken(request.headers.upgrade, 'websocket')
}
