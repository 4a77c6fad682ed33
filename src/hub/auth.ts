import { decodeJwt, errors, importJWK, jwtVerify, type CryptoKey, type JWTPayload } from 'jose'
import * as v from 'valibot'
import { agentIdOf } from '../tunnel/agent-id.ts'
import { JoinClaims, TOKEN_SECONDS, type PublicKey, type Refusal } from '../tunnel/handshake.ts'
import type { Registry } from './registry.ts'
import type { Agent } from './store.ts'

/** The hub's "no", in its own words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly reason: Refusal['error']
  /** When it may be worth another try, in seconds. */
  readonly retryAfter: number | undefined

  constructor(status: number, reason: Refusal['error'], message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

const ALGORITHMS = ['EdDSA']

/**
 * Checks the token of a request: signed by a key that the hub knows, for this hub, now.
 *
 * @param header the Authorization header
 * @throws RefusedError; `clock` if only the time is wrong, so that the agent can sign again by ours
 */
export async function authenticate<T>(
  registry: Registry,
  header: string | undefined,
  claims: v.GenericSchema<unknown, T>,
): Promise<{ agent: Agent; claims: T }> {
  const token = /^Bearer ([\w.-]{1,2048})$/.exec(header ?? '')?.[1]
  if (token === undefined) throw new RefusedError(401, 'bad_token', 'There is no usable bearer token.')
  const agent = registry.agent(issuerOf(token))
  if (!agent) throw new RefusedError(401, 'unknown_agent', 'This hub does not know this agent.')
  const payload = await verify(token, agent.key, { audience: registry.hubId, issuer: agent.id })
  // Only to the holder of the key: nobody else learns which agents are revoked.
  // Asked again: it may have happened while the signature was checked.
  if (registry.agent(agent.id)?.revoked ?? true)
    throw new RefusedError(401, 'revoked', 'This agent was revoked.')
  const parsed = v.safeParse(claims, payload)
  if (!parsed.success) throw new RefusedError(401, 'bad_token', 'The token is for something else.')
  return { agent, claims: parsed.output }
}

/**
 * Checks that whoever joins holds the private half of the key it brings.
 *
 * @returns the id that the key has
 * @throws RefusedError
 */
export async function provenAgentId(registry: Registry, key: PublicKey, proof: string): Promise<string> {
  const agent = agentIdOf(key)
  const payload = await verify(proof, key, { audience: registry.hubId, issuer: agent })
  if (!v.is(JoinClaims, payload))
    throw new RefusedError(401, 'bad_token', 'The proof is a token for something else.')
  return agent
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    throw new RefusedError(401, 'bad_token', 'The token is not a JWT.')
  }
}

async function verify(
  token: string,
  key: PublicKey,
  who: { audience: string; issuer: string },
): Promise<JWTPayload> {
  let imported: CryptoKey | Uint8Array
  try {
    imported = await importJWK(key, 'EdDSA')
  } catch {
    throw new RefusedError(400, 'bad_request', 'The key is not an Ed25519 key.')
  }
  try {
    const options = {
      ...who,
      algorithms: ALGORITHMS,
      clockTolerance: TOKEN_SECONDS,
      requiredClaims: ['exp', 'iat'],
    }
    const { payload } = await jwtVerify(token, imported, options)
    checkTimes(payload.iat ?? 0, payload.exp ?? 0)
    return payload
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw clockRefusal()
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
      // The agent's hub was another one, whose address this one has taken over.
      throw new RefusedError(401, 'unknown_agent', 'The token is for another hub.')
    }
    if (error instanceof RefusedError) throw error
    throw new RefusedError(401, 'bad_token', 'The token’s signature or form is not valid.')
  }
}

function checkTimes(issuedAt: number, expiresAt: number): void {
  if (expiresAt - issuedAt > TOKEN_SECONDS)
    throw new RefusedError(401, 'bad_token', 'The token lives too long.')
  if (issuedAt > Date.now() / 1000 + TOKEN_SECONDS) throw clockRefusal()
}

function clockRefusal(): RefusedError {
  return new RefusedError(401, 'clock', 'The token’s time is off by more than a minute.')
}
