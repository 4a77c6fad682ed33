import type { IncomingMessage, ServerResponse } from 'node:http'
import * as v from 'valibot'
import { messageOf } from '../errors.ts'
import { GOAWAY_CODES } from '../tunnel/codes.ts'
import {
  ApiClaims,
  HUB_HEADER,
  JoinRequest,
  PROTOCOL_VERSION,
  type HubInfo,
  type JoinReply,
  type OfferedService,
  type Refusal,
} from '../tunnel/handshake.ts'
import { Admission, type AdmissionLimits } from './admission.ts'
import { authenticate, provenAgentId, RefusedError } from './auth.ts'
import type { LinkTable } from './link-table.ts'
import { welcomePage } from './pages.ts'
import type { Registry } from './registry.ts'
import type { Agent } from './store.ts'

const MAX_BODY_BYTES = 16 * 1024

/** The hub over plain HTTP: who it is, joining, and what is offered. Links come by upgrade.ts. */
export class HubApi {
  readonly #registry: Registry
  readonly #links: LinkTable
  readonly #version: string
  readonly #log: (line: string) => void
  readonly #admission: Admission

  constructor(
    registry: Registry,
    links: LinkTable,
    options: {
      version: string
      log: (line: string) => void
      admission?: AdmissionLimits
    },
  ) {
    this.#registry = registry
    this.#links = links
    this.#version = options.version
    this.#log = options.log
    this.#admission = new Admission(options.admission)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(HUB_HEADER, this.#registry.hubId)
    try {
      await this.#route(request, response)
    } catch (error) {
      if (!(error instanceof RefusedError))
        this.#log(`[x] ${request.method} ${pathOf(request)}: ${messageOf(error)}`)
      const { status, headers, body } = refusalOf(error)
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      // The rest of a refused body isn't read.
      if (!request.complete) response.setHeader('connection', 'close')
      sendJson(response, status, body)
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (`${request.method} ${pathOf(request)}`) {
      case 'GET /': {
        response.setHeader('content-type', 'text/plain; charset=utf-8')
        response.end(welcomePage(this.#version))
        break
      }
      case 'GET /healthz': {
        sendJson(response, 200, { ok: true })
        break
      }
      case 'GET /v1/hub': {
        const info: HubInfo = {
          hub: this.#registry.hubId,
          protocol: PROTOCOL_VERSION,
          version: this.#version,
          time: Date.now(),
        }
        sendJson(response, 200, info)
        break
      }
      case 'POST /v1/join': {
        sendJson(response, 200, await this.#join(request))
        break
      }
      case 'GET /v1/services': {
        const agent = await this.#caller(request)
        sendJson(response, 200, { services: this.#offered(agent.workspace) })
        break
      }
      case 'DELETE /v1/agent': {
        const agent = await this.#caller(request)
        await this.#registry.remove(agent.id)
        this.#links.close(agent.id, GOAWAY_CODES.LOGGED_OUT, 'this agent has logged out')
        this.#log(`${agent.id} has logged out`)
        sendJson(response, 200, { removed: agent.id })
        break
      }
      default: {
        throw new RefusedError(404, 'not_found', 'There is no such thing here.')
      }
    }
  }

  async #join(request: IncomingMessage): Promise<JoinReply> {
    const parsed = v.safeParse(JoinRequest, await readJsonBody(request))
    if (!parsed.success) throw new RefusedError(400, 'bad_request', 'This is not a join request.')
    const { token, key, label, proof } = parsed.output
    const agent = await this.#admission.check(async () => {
      const id = await provenAgentId(this.#registry, key, proof)
      return (await this.#registry.join({ token, agent: id, key, label })) ? id : undefined
    })
    if (agent === undefined) {
      this.#log(`[!] A join token was refused to ${request.socket.remoteAddress}`)
      throw new RefusedError(403, 'token_refused', 'The join token is unknown, used up, expired or revoked.')
    }
    this.#log(`${agent} (${label}) has joined`)
    return { agent, hub: this.#registry.hubId }
  }

  async #caller(request: IncomingMessage): Promise<Agent> {
    const { authorization } = request.headers
    const { agent } = await this.#admission.check(() =>
      authenticate(this.#registry, authorization, ApiClaims),
    )
    return agent
  }

  #offered(workspace: string): OfferedService[] {
    return this.#registry.services(workspace).flatMap(({ name, port, agent: id }) => {
      const agent = this.#registry.agent(id)
      return agent ? [{ name, port, agent: id, label: agent.label, online: this.#links.isServing(id) }] : []
    })
  }
}

/** What a refusal, or a bug, looks like on the wire: nothing of the bug itself. */
export function refusalOf(error: unknown): {
  status: number
  headers: Record<string, string>
  body: Refusal
} {
  const time = Date.now()
  if (error instanceof RefusedError) {
    const { status, reason, message, retryAfter } = error
    const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    return { status, headers, body: { error: reason, message, time } }
  }
  return {
    status: 500,
    headers: {},
    body: { error: 'internal', message: 'The hub failed; its output says why.', time },
  }
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json')
  response.setHeader('cache-control', 'no-store')
  response.end(`${JSON.stringify(body)}\n`)
}

async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new RefusedError(413, 'bad_request', 'The request is too large.')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new RefusedError(400, 'bad_request', 'The request is not JSON.')
  }
}
