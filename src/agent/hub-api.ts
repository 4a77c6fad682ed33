import * as v from 'valibot'
import {
  HUB_HEADER,
  HubInfo,
  JoinReply,
  ServiceList,
  type JoinRequest,
  type OfferedService,
} from '../tunnel/handshake.ts'
import type { Signer } from './credential.ts'
import { hubUnreachable } from './network-error.ts'
import { ClockError, notAHub, refusalError, type Answer } from './refusal.ts'

const TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** The hub's HTTP API, seen from an agent. Every method throws HUB_UNREACHABLE, NOT_A_HUB or what the hub refuses with. */
export class HubApi {
  readonly #hub: string
  readonly #timeoutMs: number

  /**
   * @param hub as parseHubUrl gives it
   * @param timeoutMs how long each answer may take, default 10,000
   */
  constructor(hub: string, timeoutMs = TIMEOUT_MS) {
    this.#hub = hub
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
    const answer = await this.#fetch(method, path, init)
    if (answer.status !== 200) throw refusalError(this.#hub, answer)
    if (!answer.header(HUB_HEADER)) throw notAHub(this.#hub, answer)
    try {
      return v.parse(schema, JSON.parse(answer.text))
    } catch {
      throw notAHub(this.#hub, answer)
    }
  }

  async #fetch(
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> },
  ): Promise<Answer> {
    const url = this.#hub + path
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs)
      const response = await fetch(url, { ...init, method, redirect: 'manual', signal })
      const text = await readBounded(response)
      return { status: response.status, header: (name) => response.headers.get(name), text }
    } catch (error) {
      throw hubUnreachable(this.#hub, error)
    }
  }
}

/** Whoever answers is not trusted yet: no more is read than a hub would send. */
async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
