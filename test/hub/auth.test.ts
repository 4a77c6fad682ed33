import { expect, test } from 'vitest'
import * as v from 'valibot'
import { newKey, Signer } from '../../src/agent/credential.ts'
import { Authenticator } from '../../src/hub/auth.ts'
import { Nonces } from '../../src/hub/nonces.ts'
import type { Registry } from '../../src/hub/registry.ts'
import type { Agent } from '../../src/hub/store.ts'
import { agentIdOf } from '../../src/tunnel/agent-id.ts'

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
  const authenticator = new Authenticator(registry as Registry, nonces)
  const token = await new Signer({ agentId: id, hubId, key }).sign({}, nonces.make())
  const check = () => authenticator.authenticate(`Bearer ${token}`, v.object({}))
  return { agent, agents, check }
}

test('who has signed with a known key is let in', async () => {
  const { agent, check } = await known()
  expect((await check()).agent).toBe(agent)
})

test('a revocation that comes while the signature is checked is in time', async () => {
  const { agent, agents, check } = await known()
  const checked = check()
  agents.set(agent.id, { ...agent, revoked: true })
  await expect(checked).rejects.toMatchObject({ status: 401, reason: 'revoked' })
})

test('an agent that is removed while its signature is checked is not let in either', async () => {
  const { agent, agents, check } = await known()
  const checked = check()
  agents.delete(agent.id)
  await expect(checked).rejects.toMatchObject({ status: 401, reason: 'unknown_agent' })
})
