import { compactVerify } from 'jose/jws/compact/verify'
import { decodeJwt } from 'jose/jwt/decode'
import { importJWK } from 'jose/key/import'
import * as v from 'valibot'
import { agentIdOf } from '../../tunnel/protocol/agent-id.ts'
import { JoinClaims, TokenClaims, type PublicKey } from '../../tunnel/protocol/handshake.ts'
import type { Registry } from '../registry/registry.ts'
import type { Agent } from '../store/store.ts'
import type { Nonces } from './nonces.ts'
import { RefusedError } from './refused-error.ts'

const ALGORITHMS = ['EdDSA']

/** Checks who asks: tokens are signed by a key that the hub knows, for this hub, over a nonce from it. */
export class Authenticator {
  readonly #registry: Registry
  readonly #nonces: Nonces

  constructor(registry: Registry, nonces: Nonces) {
    this.#registry = registry
    this.#nonces = nonces
  }

  /**
   * @param header the Authorization header
   * @throws RefusedError; with a `nonce` to sign instead if only the one that was signed is not good
   */
  async authenticate<T>(
    header: string | undefined,
    claims: v.GenericSchema<unknown, T>,
  ): Promise<{ agent: Agent; claims: T }> {
    const token = header?.match(/^Bearer ([\w.-]{1,2048})$/)?.[1]
    if (token === undefined) throw new RefusedError(401, 'bad_token', 'There is no usable bearer token.')
    const agent = this.#registry.agent(readClaims(token).iss)
    if (!agent) throw unknownAgent()
    const { payload, nonce } = await this.#verify(token, agent.key, agent.id)
    // Asked again: the agent may have been revoked, or gone, while the signature was checked.
    const now = this.#registry.agent(agent.id)
    if (!now) throw unknownAgent()
    // Told only to the holder of the key: nobody else learns which agents are revoked.
    if (now.revoked) throw new RefusedError(401, 'revoked', 'This agent was revoked.')
    const parsed = v.safeParse(claims, payload)
    if (!parsed.success) throw new RefusedError(401, 'bad_token', 'The token is for something else.')
    this.#use(nonce, agent.id)
    return { agent: now, claims: parsed.output }
  }

  /**
   * Has a machine join that holds the private half of the key that it brings.
   *
   * @param join spends the join token, for the id that the key has
   * @throws RefusedError
   */
  async admit(key: PublicKey, proof: string, join: (agent: string) => Promise<boolean>): Promise<string> {
    const agent = agentIdOf(key)
    const { payload, nonce } = await this.#verify(proof, key, agent)
    if (!v.is(JoinClaims, payload))
      throw new RefusedError(401, 'bad_token', 'The proof is a token for something else.')
    this.#use(nonce, agent)
    let hasJoined = false
    try {
      hasJoined = await join(agent)
    } finally {
      // Anyone can make keys: only the nonces that members have used are remembered.
      if (!hasJoined) this.#nonces.release(nonce)
    }
    if (!hasJoined)
      throw new RefusedError(403, 'token_refused', 'The join token is unknown, used up, expired or revoked.')
    return agent
  }

  async #verify(
    token: string,
    key: PublicKey,
    issuer: string,
  ): Promise<{ payload: Record<string, unknown>; nonce: string }> {
    const { iss, aud, nonce } = readClaims(token)
    if (iss !== issuer) throw new RefusedError(401, 'bad_token', 'The token is another agent’s.')
    // The agent's hub was another one, whose address this one has taken over.
    if (aud !== this.#registry.hubId) throw unknownAgent('The token is for another hub.')
    // Asked before the signature is checked, which costs fifty times as much.
    if (this.#nonces.isSpentBy(issuer)) throw tooMany()
    this.#checkNonce(nonce)
    try {
      await compactVerify(token, await importJWK(key, 'EdDSA'), { algorithms: ALGORITHMS })
    } catch {
      throw new RefusedError(401, 'bad_token', 'The token’s signature or form is not valid.')
    }
    return { payload: decodeJwt(token), nonce }
  }

  #checkNonce(nonce: string): void {
    if (this.#nonces.isGood(nonce)) return
    const message = 'The token’s nonce is not known here, too old or used.'
    throw new RefusedError(401, 'nonce', message, { nonce: this.#nonces.make() })
  }

  #use(nonce: string, agent: string): void {
    // Asked again: the same token may have come in twice, and both been checked by now.
    this.#checkNonce(nonce)
    this.#nonces.use(nonce, agent)
  }
}

const RETRY_AFTER_SECONDS = 5

/** @throws RefusedError */
function readClaims(token: string): TokenClaims {
  try {
    return v.parse(TokenClaims, decodeJwt(token))
  } catch {
    throw new RefusedError(401, 'bad_token', 'The token is none, or lacks a claim.')
  }
}

function unknownAgent(message = 'This hub does not know this agent.'): RefusedError {
  return new RefusedError(401, 'unknown_agent', message)
}

function tooMany(): RefusedError {
  const message = 'This agent has asked for too much in a short time.'
  return new RefusedError(429, 'too_many', message, { retryAfter: RETRY_AFTER_SECONDS })
}
