import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import * as v from 'valibot'
import { loadHttp } from '../process/http.ts'
import {
  HUB_HEADER,
  HubInfo,
  JoinReply,
  ServiceList,
  type JoinRequest,
  type OfferedService,
} from '../tunnel/handshake.ts'
import type { Signer } from './credential.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import { hubConnector, type HubAddress } from './open-connection.ts'
import { ClockError, notAHub, refusalError, type Answer } from './refusal.ts'
import { unlessHttps } from './wrong-scheme.ts'

const TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** The hub's HTTP API, seen from an agent. Every method throws HUB_UNREACHABLE, NOT_A_HUB or what the hub refuses with. */
export class HubApi {
  readonly #address: HubAddress
  readonly #timeoutMs: number

  /** @param timeoutMs how long each answer may take, default 10,000 */
  constructor(address: HubAddress, timeoutMs = TIMEOUT_MS) {
    this.#address = address
    this.#timeoutMs = timeoutMs
  }

  async info(): Promise<HubInfo> {
    return this.#call('GET', '/v1/hub', HubInfo)
  }

  /** Spends a join token. */
  async join(request: JoinRequest): Promise<JoinReply> {
    return this.#call('POST', '/v1/join', JoinReply, { body: JSON.stringify(request) })
  }

  /** What the workspace offers, by name. */
  async services(signer: Signer): Promise<OfferedService[]> {
    const { services } = await this.#signed(signer, 'GET', '/v1/services', ServiceList)
    return services.toSorted((a, b) => a.name.localeCompare(b.name))
  }

  /** Has the hub forget this agent. */
  async leave(signer: Signer): Promise<void> {
    await this.#signed(signer, 'DELETE', '/v1/agent', v.object({ removed: v.string() }))
  }

  async #signed<T>(
    signer: Signer,
    method: string,
    path: string,
    schema: v.GenericSchema<unknown, T>,
  ): Promise<T> {
    const call = async () =>
      this.#call(method, path, schema, {
        headers: { authorization: `Bearer ${await signer.sign({ purpose: 'api' })}` },
      })
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof ClockError)) throw error
      signer.offsetMs = error.offsetMs
      return call()
    }
  }

  async #call<T>(
    method: string,
    path: string,
    schema: v.GenericSchema<unknown, T>,
    init: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<T> {
    const { hub } = this.#address
    try {
      const answer = await this.#fetch(method, path, init)
      if (answer.status !== 200) throw refusalError(hub, answer)
      if (!answer.header(HUB_HEADER)) throw notAHub(hub, answer)
      const parsed = v.safeParse(schema, parseJson(answer.text))
      if (!parsed.success) throw notAHub(hub, answer)
      return parsed.output
    } catch (error) {
      throw await unlessHttps(this.#address, error)
    }
  }

  async #fetch(
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> },
  ): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const url = new URL(this.#address.hub + path)
    try {
      const request = loadHttp().request({
        method,
        path: url.pathname,
        headers: { host: url.host, ...init.headers },
        createConnection: hubConnector(this.#address, signal),
        signal,
      })
      const answered = once(request, 'response')
      // What goes wrong later shows in the response, too.
      request.on('error', () => {})
      request.end(init.body)
      const [response] = (await answered) as [IncomingMessage]
      const text = await readBounded(response)
      return { status: response.statusCode ?? 0, header: (name) => response.headers[name]?.toString(), text }
    } catch (error) {
      throw hubUnreachable(this.#address.hub, signal.aborted ? signal.reason : error)
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whoever answers is not trusted yet: no more is read than a hub would send. */
async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
