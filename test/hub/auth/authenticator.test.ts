import { importJWK, SignJWT } from 'jose'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { Authenticator } from '../../../src/hub/auth/authenticator.ts'
import { Nonces } from '../../../src/hub/auth/nonces.ts'
import type { Registry } from '../../../src/hub/registry/registry.ts'
import type { Agent } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { MAX_NONCES } from '../../../src/tunnel/protocol/limits.ts'

const hubId = 'hub_0123456789abcdef'

/** An agent that a hub knows, until it is told otherwise, and a request that it has signed. */
async function known() {
  const key = await newKey()
  const { d: _, ...publicKey } = key
  const id = agentIdOf(publicKey)
  const agent = { id, key: publicKey, label: 'ada', workspace: 'default', revoked: false } as Agent
  const agents = new Map([[id, agent]])
  const registry: Pick<Registry, 'hubId' | 'agent'> = { hubId, agent: (id) => agents.get(id) }
  const nonces = new Nonces()
  const signer = new Signer({ agentId: id, hubId, key })
  const token = await signer.sign({}, nonces.make())
  const authenticator = new Authenticator(registry as Registry, nonces)
  const check = () => authenticator.authenticate(`Bearer ${token}`, v.object({}))
  return { agent, agents, key, publicKey, nonces, signer, token, authenticator, check }
}

test('who has signed with a known key is let in', async () => {
  const { agent, check } = await known()
  expect((await check()).agent).toBe(agent)
})

test('a revocation that comes while the signature is checked is in time', async () => {
  const { agent, agents, check } = await known()
  const checked = check()
  agents.set(agent.id, { ...agent, revoked: true })
  await expect(checked).rejects.toMatchObject({
    status: 401,
    reason: 'revoked',
    message: 'This agent was revoked.',
  })
})

test('an agent that is removed while its signature is checked is not let in either', async () => {
  const { agent, agents, check } = await known()
  const checked = check()
  agents.delete(agent.id)
  await expect(checked).rejects.toMatchObject({ status: 401, reason: 'unknown_agent' })
})

const REFUSALS: [string, (one: Awaited<ReturnType<typeof known>>) => Promise<unknown>, object][] = [
  [
    'no token',
    ({ authenticator }) => authenticator.authenticate(undefined, v.object({})),
    { status: 401, reason: 'bad_token', message: 'There is no usable bearer token.' },
  ],
  [
    'a token with something before it',
    ({ authenticator, token }) => authenticator.authenticate(`x Bearer ${token}`, v.object({})),
    { status: 401, reason: 'bad_token' },
  ],
  [
    'a token with something behind it',
    ({ authenticator, token }) => authenticator.authenticate(`Bearer ${token} x`, v.object({})),
    { status: 401, reason: 'bad_token' },
  ],
  [
    'what is no token',
    ({ authenticator }) => authenticator.authenticate('Bearer abc', v.object({})),
    { status: 401, reason: 'bad_token', message: 'The token is none, or lacks a claim.' },
  ],
  [
    'a signature by another key',
    async ({ authenticator, agent, nonces }) => {
      const signer = new Signer({ agentId: agent.id, hubId, key: await newKey() })
      return authenticator.authenticate(`Bearer ${await signer.sign({}, nonces.make())}`, v.object({}))
    },
    { status: 401, reason: 'bad_token', message: 'The token’s signature or form is not valid.' },
  ],
  [
    'a signature by the same key that is called another algorithm',
    async ({ authenticator, agent, key, nonces }) => {
      // RFC 9864 gives what Ed25519 keys sign a second name.
      const token = await new SignJWT({ nonce: nonces.make() })
        .setProtectedHeader({ alg: 'Ed25519' })
        .setIssuer(agent.id)
        .setAudience(hubId)
        .sign(await importJWK(key, 'Ed25519'))
      return authenticator.authenticate(`Bearer ${token}`, v.object({}))
    },
    { status: 401, reason: 'bad_token', message: 'The token’s signature or form is not valid.' },
  ],
  [
    'a nonce that is not ours before a signature by another key',
    async ({ authenticator, agent }) => {
      const signer = new Signer({ agentId: agent.id, hubId, key: await newKey() })
      const token = await signer.sign({}, new Nonces().make())
      return authenticator.authenticate(`Bearer ${token}`, v.object({}))
    },
    { status: 401, reason: 'nonce' },
  ],
  [
    'a token for something else',
    ({ authenticator, token }) =>
      authenticator.authenticate(`Bearer ${token}`, v.object({ purpose: v.literal('api') })),
    { status: 401, reason: 'bad_token', message: 'The token is for something else.' },
  ],
  [
    'a token for another hub',
    async ({ authenticator, agent, key, nonces }) => {
      const signer = new Signer({ agentId: agent.id, hubId: 'hub_ffffffffffffffff', key })
      return authenticator.authenticate(`Bearer ${await signer.sign({}, nonces.make())}`, v.object({}))
    },
    { status: 401, reason: 'unknown_agent', message: 'The token is for another hub.' },
  ],
  [
    'who was never here',
    ({ agents, check }) => {
      agents.clear()
      return check()
    },
    { status: 401, reason: 'unknown_agent', message: 'This hub does not know this agent.' },
  ],
  [
    'a nonce that is not ours',
    async ({ authenticator, signer }) =>
      authenticator.authenticate(`Bearer ${await signer.sign({}, new Nonces().make())}`, v.object({})),
    { status: 401, reason: 'nonce', message: 'The token’s nonce is not known here, too old or used.' },
  ],
  [
    'a token a second time',
    async ({ check }) => {
      await check()
      return check()
    },
    { status: 401, reason: 'nonce' },
  ],
  [
    'the same token twice at once',
    async ({ check }) => Promise.all([check(), check()]),
    { status: 401, reason: 'nonce' },
  ],
  [
    'an agent that has asked too often, whatever its token',
    async ({ agent, authenticator, nonces, signer }) => {
      for (let turn = 0; turn < MAX_NONCES; turn++) nonces.use(nonces.make(), agent.id)
      const token = await signer.sign({}, nonces.make())
      return authenticator.authenticate(`Bearer ${token}AA`, v.object({}))
    },
    {
      status: 429,
      reason: 'too_many',
      message: 'This agent has asked for too much in a short time.',
      retryAfter: 5,
    },
  ],
]

test.for(REFUSALS)('%s is refused', async ([, ask, refusal]) => {
  await expect(ask(await known())).rejects.toMatchObject(refusal)
})

test('a refused nonce comes with another one, which is good', async () => {
  const { authenticator, signer } = await known()
  const stale = `Bearer ${await signer.sign({}, new Nonces().make())}`
  const error = await authenticator.authenticate(stale, v.object({})).catch((thrown: unknown) => thrown)
  const { nonce } = error as { nonce: string }
  const { agent } = await authenticator.authenticate(`Bearer ${await signer.sign({}, nonce)}`, v.object({}))
  expect(agent.label).toBe('ada')
})

describe('who joins', () => {
  async function joining(claims: Record<string, string> = { purpose: 'join' }) {
    const one = await known()
    const proof = await one.signer.sign(claims, one.nonces.make())
    return { ...one, proof }
  }

  test('is known by the key that it has proven to have', async () => {
    const { authenticator, publicKey, proof, agent } = await joining()
    const joined: string[] = []
    const join = async (id: string) => (joined.push(id), true)
    expect(await authenticator.admit(publicKey, proof, join)).toBe(agent.id)
    expect(joined).toEqual([agent.id])
    await expect(authenticator.admit(publicKey, proof, join)).rejects.toMatchObject({ reason: 'nonce' })
  })

  test('with a token that is not taken may try again with the same proof', async () => {
    const { authenticator, publicKey, proof, agent } = await joining()
    await expect(authenticator.admit(publicKey, proof, async () => false)).rejects.toMatchObject({
      status: 403,
      reason: 'token_refused',
      message: 'The join token is unknown, used up, expired or revoked.',
    })
    const failure = new Error('the disk is full')
    await expect(authenticator.admit(publicKey, proof, () => Promise.reject(failure))).rejects.toBe(failure)
    expect(await authenticator.admit(publicKey, proof, async () => true)).toBe(agent.id)
  })

  test('by a token for something else does not', async () => {
    const { authenticator, publicKey, proof } = await joining({ purpose: 'api' })
    await expect(authenticator.admit(publicKey, proof, async () => true)).rejects.toMatchObject({
      status: 401,
      reason: 'bad_token',
      message: 'The proof is a token for something else.',
    })
  })

  test('by another’s proof does not', async () => {
    const { authenticator, proof } = await joining()
    const { d: _, ...other } = await newKey()
    await expect(authenticator.admit(other, proof, async () => true)).rejects.toMatchObject({
      status: 401,
      reason: 'bad_token',
      message: 'The token is another agent’s.',
    })
  })
})
