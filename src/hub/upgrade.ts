import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HUB_HEADER, LinkClaims } from '../tunnel/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/limits.ts'
import { Link } from '../tunnel/link.ts'
import { WebSocketConnection } from '../websocket/connection.ts'
import { answerUpgrade, hasToken } from '../websocket/handshake.ts'
import { Admission, type AdmissionLimits } from './admission.ts'
import { holdBack, pathOf, refuseOn } from './answer.ts'
import type { Authenticator } from './auth.ts'
import type { LinkTable } from './link-table.ts'
import { RefusedError } from './refused-error.ts'
import type { Registry } from './registry.ts'

/** How a link comes in: everything is checked before the WebSocket is accepted. */
export class LinkUpgrade {
  readonly #registry: Registry
  readonly #links: LinkTable
  readonly #authenticator: Authenticator
  readonly #admission: Admission

  constructor(
    registry: Registry,
    links: LinkTable,
    authenticator: Authenticator,
    admission?: AdmissionLimits,
  ) {
    this.#registry = registry
    this.#links = links
    this.#authenticator = authenticator
    this.#admission = new Admission(admission)
  }

  /** @returns whether it is a link now */
  async answer(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> {
    // A client that goes away must not be an uncaught error; the connection that takes over has a listener of its own.
    socket.on('error', () => {})
    try {
      if (pathOf(request) !== '/v1/link') throw new RefusedError(404, 'not_found', 'Links are at /v1/link.')
      // Only browsers send it, and no page has any business here.
      if (request.headers.origin !== undefined)
        throw new RefusedError(403, 'bad_request', 'Not for browsers.')
      const answer = answerUpgrade(request, SUBPROTOCOL, [`${HUB_HEADER}: ${this.#registry.hubId}`])
      if (!answer.accepted) {
        const refusal = new RefusedError(answer.status, 'bad_request', answer.message)
        refuseOn(socket, this.#registry.hubId, refusal, answer.headers)
        return false
      }
      const { authorization } = request.headers
      const { agent, claims } = await this.#admission.check(() =>
        this.#authenticator.authenticate(authorization, LinkClaims),
      )
      this.#links.checkEpoch(agent, claims)
      if (socket.destroyed) return false
      socket.write(answer.response)
      const connection = new WebSocketConnection(socket as Socket, {
        role: 'server',
        maxMessageBytes: MAX_FRAME_BYTES,
        head,
      })
      this.#links.add(agent, claims, new Link(connection))
      return true
    } catch (error) {
      await holdBack(error)
      refuseOn(socket, this.#registry.hubId, error)
      return false
    }
  }
}

/** Whether a request with `Upgrade` wants a link; any other is to be answered as it is. */
export function isForLink(request: IncomingMessage): boolean {
  return hasToken(request.headers.upgrade, 'websocket')
}
