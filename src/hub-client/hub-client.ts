import * as v from 'valibot'
import {
  HubInfo,
  JoinReply,
  PORTLESS,
  ServiceList,
  type JoinRequest,
  type OfferedService,
} from '../tunnel/protocol/handshake.ts'
import type { HubAddress } from './connection.ts'
import type { Signer } from './credential.ts'
import { HubSession } from './hub-session.ts'
import { parseResponse } from './response.ts'
import { explainSchemeMismatch } from './scheme-mismatch.ts'

const TIMEOUT_MS = 10_000

const SERVICES = `/v1/services?${PORTLESS}=true`

/** A hub's HTTP API, seen by an agent. All methods throw HUB_UNREACHABLE, NOT_A_HUB or the hub's refusal. */
export class HubClient {
  readonly #address: HubAddress
  readonly #timeoutMs: number

  /** @param timeoutMs how long each answer may take, default 10,000 */
  constructor(address: HubAddress, timeoutMs = TIMEOUT_MS) {
    this.#address = address
    this.#timeoutMs = timeoutMs
  }

  async info(): Promise<HubInfo> {
    return this.#inSession(async (session) =>
      parseResponse(this.#address.hub, HubInfo, await session.exchange('GET', '/v1/hub')),
    )
  }

  /**
   * Spends a join token.
   *
   * @param signer of the key that the request brings
   * @param nonce one that the hub has given; default: the hub is asked for one
   */
  async join(signer: Signer, request: Omit<JoinRequest, 'proof'>, nonce?: string): Promise<JoinReply> {
    const call = async (session: HubSession, signed: string) => {
      const proof = await signer.sign({ purpose: 'join' }, signed)
      const answer = await session.exchange('POST', '/v1/join', {
        body: JSON.stringify({ ...request, proof }),
      })
      return parseResponse(this.#address.hub, JoinReply, answer)
    }
    return this.#inSession((session) => session.withNonce((signed) => call(session, signed), nonce))
  }

  /** What the workspace offers, by name. */
  async services(signer: Signer): Promise<OfferedService[]> {
    const { services } = await this.#signed(signer, 'GET', SERVICES, ServiceList)
    return services.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @returns undefined if the workspace has no service of that name */
  async service(signer: Signer, name: string): Promise<OfferedService | undefined> {
    const path = `${SERVICES}&name=${encodeURIComponent(name)}`
    const { services } = await this.#signed(signer, 'GET', path, ServiceList)
    return services.find((service) => service.name === name)
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
    const call = async (session: HubSession, nonce: string) => {
      const headers = { authorization: `Bearer ${await signer.sign({ purpose: 'api' }, nonce)}` }
      return parseResponse(this.#address.hub, schema, await session.exchange(method, path, { headers }))
    }
    return this.#inSession((session) => session.withNonce((nonce) => call(session, nonce)))
  }

  async #inSession<T>(work: (session: HubSession) => Promise<T>): Promise<T> {
    const session = new HubSession(this.#address, AbortSignal.timeout(this.#timeoutMs))
    try {
      return await work(session)
    } catch (error) {
      throw await explainSchemeMismatch(this.#address, error)
    } finally {
      session.close()
    }
  }
}
