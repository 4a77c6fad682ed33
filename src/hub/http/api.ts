import type { IncomingMessage, ServerResponse } from 'node:http'
import * as v from 'valibot'
import { messageOf } from '../../errors.ts'
import { LineLimiter } from '../../log/line-limiter.ts'
import { Counts } from '../../tunnel/bounds/counts.ts'
import {
  ApiClaims,
  HUB_HEADER,
  JoinRequest,
  PORTLESS,
  PROTOCOL_VERSION,
  type HubInfo,
  type JoinReply,
  type OfferedService,
} from '../../tunnel/protocol/handshake.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Nonces } from '../auth/nonces.ts'
import { RefusedError } from '../auth/refused-error.ts'
import type { LinkTable } from '../links/link-table.ts'
import type { Registry } from '../registry/registry.ts'
import { StoreError } from '../store/store-error.ts'
import type { Agent } from '../store/store.ts'
import { ConcurrencyLimit, type ConcurrencyOptions } from './concurrency-limit.ts'
import { holdBack, parameterOf, pathOf, readJsonBody, refusalOf, sendJson, sendText } from './response.ts'
import { welcomePage } from './welcome-page.ts'

/** Lists of services that one agent may have asked for, and not read yet. */
const MAX_UNREAD_LISTS = 4

export interface HttpApiOptions {
  readonly version: string
  readonly log: (line: string) => void
  readonly concurrency?: ConcurrencyOptions
}

/** The hub over plain HTTP: who the hub is, joining, and what is offered. Links come by upgrade.ts. */
export class HttpApi {
  readonly #registry: Registry
  readonly #links: LinkTable
  readonly #nonces: Nonces
  readonly #authenticator: Authenticator
  readonly #version: string
  readonly #log: (line: string) => void
  readonly #lines = new LineLimiter()
  /** Joins and all else, each by themselves: agents that ask for lists must not hold up those that join. */
  readonly #joins: ConcurrencyLimit
  readonly #calls: ConcurrencyLimit
  readonly #unread = new Counts()

  constructor(
    registry: Registry,
    links: LinkTable,
    nonces: Nonces,
    authenticator: Authenticator,
    options: HttpApiOptions,
  ) {
    this.#registry = registry
    this.#links = links
    this.#nonces = nonces
    this.#authenticator = authenticator
    this.#version = options.version
    this.#log = options.log
    this.#joins = new ConcurrencyLimit(options.concurrency)
    this.#calls = new ConcurrencyLimit(options.concurrency)
  }

  /** Answers a request with a refusal, whatever it asks for. */
  refuse(request: IncomingMessage, response: ServerResponse, error: RefusedError): void {
    response.setHeader(HUB_HEADER, this.#registry.hubId)
    this.#refuse(request, response, error)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(HUB_HEADER, this.#registry.hubId)
    try {
      await this.#route(request, response)
    } catch (error) {
      const asked = `${request.method} ${pathOf(request)}`
      // A client that has gone away meanwhile did so for reasons of its own.
      if (!(error instanceof RefusedError) && !(error instanceof StoreError) && !response.destroyed)
        this.#note(asked, () => `[x] ${asked}: ${messageOf(error)}`)
      await holdBack(error)
      this.#refuse(request, response, error)
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // RFC 9112 §3.2. Node.js would answer by itself, without our header.
    if (request.headers.host === undefined && request.httpVersion !== '1.0')
      throw new RefusedError(400, 'bad_request', 'There is no Host header.')
    // HEAD is GET without the body (RFC 9110 §9.3.2), which Node.js leaves out.
    const method = request.method === 'HEAD' ? 'GET' : request.method
    switch (`${method} ${pathOf(request)}`) {
      case 'GET /': {
        sendText(response, 200, 'text/plain; charset=utf-8', welcomePage(this.#version))
        break
      }
      case 'GET /healthz': {
        sendJson(response, 200, { ok: true })
        break
      }
      case 'GET /v1/hub': {
        sendJson(response, 200, this.#info())
        break
      }
      case 'GET /v1/nonce': {
        sendJson(response, 200, { nonce: this.#nonces.make() })
        break
      }
      case 'POST /v1/join': {
        sendJson(response, 200, await this.#join(request))
        break
      }
      case 'GET /v1/services': {
        const agent = await this.#caller(request)
        this.#countUnread(agent.id, response)
        const offered = this.#offered(agent.workspace, parameterOf(request, 'name'))
        // Others could not read the list.
        const services =
          parameterOf(request, PORTLESS) === 'true'
            ? offered
            : offered.filter(({ port }) => port !== undefined)
        sendJson(response, 200, { services })
        break
      }
      case 'DELETE /v1/agent': {
        const { id } = await this.#caller(request)
        this.#log(`${id} has logged out`)
        const saved = await this.#registry.remove(id)
        if (!saved.saved)
          throw new RefusedError(507, 'storage', `Done, but the hub can’t save it yet: ${saved.reason}.`)
        sendJson(response, 200, { removed: id })
        break
      }
      default: {
        throw new RefusedError(404, 'not_found', 'There is no such thing here.')
      }
    }
  }

  #info(): HubInfo {
    return {
      hub: this.#registry.hubId,
      protocol: PROTOCOL_VERSION,
      version: this.#version,
      nonce: this.#nonces.make(),
    }
  }

  async #join(request: IncomingMessage): Promise<JoinReply> {
    const parsed = v.safeParse(JoinRequest, await readJsonBody(request))
    if (!parsed.success) throw new RefusedError(400, 'bad_request', 'This is not a join request.')
    const { token, key, label, proof } = parsed.output
    const join = async (agent: string) => {
      const isTaken = await this.#registry.join({ token, agent, key, label })
      if (isTaken) return true
      this.#note('refused', () => `[!] A join token was refused to ${request.socket.remoteAddress}`)
      const state = await this.#registry.tokenState(token)
      // Of a valid one the key is revoked.
      if (state === undefined || state === 'valid') return false
      throw new RefusedError(403, 'token_refused', `The join token is ${state}.`, { tokenState: state })
    }
    const agent = await this.#joins.run(() => this.#authenticator.admit(key, proof, join))
    this.#note(`joined ${agent}`, () => `${agent} (${label}) has joined`)
    return { agent, hub: this.#registry.hubId }
  }

  async #caller(request: IncomingMessage): Promise<Agent> {
    const { authorization } = request.headers
    const { agent } = await this.#calls.run(() => this.#authenticator.authenticate(authorization, ApiClaims))
    return agent
  }

  /** A list of a large workspace takes a megabyte until the agent has read it. */
  #countUnread(agent: string, response: ServerResponse): void {
    if (this.#unread.of(agent) >= MAX_UNREAD_LISTS)
      throw new RefusedError(429, 'too_many', 'This agent has lists to read before it gets another one.')
    this.#unread.add(agent)
    response.once('close', () => this.#unread.remove(agent))
  }

  /** @param only the one name that was asked for; undefined for all */
  #offered(workspace: string, only: string | undefined): OfferedService[] {
    const services =
      only === undefined ? this.#registry.services(workspace) : [this.#registry.service(workspace, only)]
    return services.flatMap((service) => {
      if (!service) return []
      const { name, port, agent: id } = service
      const agent = this.#registry.agent(id)
      return agent ? [{ name, port, agent: id, label: agent.label, online: this.#links.isServing(id) }] : []
    })
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, headers, body } = refusalOf(error)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    // The rest of a refused body isn't read.
    if (!request.complete) response.setHeader('connection', 'close')
    sendJson(response, status, body)
  }

  /** For lines that whoever asks can cause at will. */
  #note(kind: string, line: () => string): void {
    this.#lines.write(kind, this.#log, line)
  }
}
