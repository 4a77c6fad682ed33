import { expect, onTestFinished, test } from 'vitest'
import { newKey, Signer } from '../../src/hub-client/credential.ts'
import { HubLink } from '../../src/hub-client/link/hub-link.ts'
import { agentIdOf } from '../../src/tunnel/protocol/agent-id.ts'
import { HUB_ID, NONCE, startHostileHub } from '../fixtures/hub/hostile-hub.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

/** A config whose key looks like one, but whose halves are of two keys. */
async function damagedConfig(hub: string) {
  const [key, other] = [await newKey(), await newKey()]
  const damaged = { ...key, d: other.d }
  return { agentId: agentIdOf(key), label: 'ada', hub, hubId: HUB_ID, insecure: false, key: damaged }
}

test('no two keys are the same', async () => {
  const [one, other] = [await newKey(), await newKey()]
  expect(one.d).not.toBe(other.d)
  expect(agentIdOf(one)).not.toBe(agentIdOf(other))
})

test('a key whose halves do not belong together is a damaged config, not a bug', async () => {
  const config = await damagedConfig('https://hub.example.com')
  const error = await rejectionOf(new Signer(config).sign({ purpose: 'api' }, NONCE))
  expect(error.code).toBe('CONFIG_DAMAGED')
  expect(error.message).not.toContain(config.key.d)
})

test('an agent with such a key ends: no further try can fix it', async () => {
  const hub = await startHostileHub({})
  onTestFinished(() => hub.close())
  const config = await damagedConfig(hub.url)
  const link = new HubLink({ config, role: 'agent', version: '0', log: () => {}, onStream: () => {} })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  expect((await rejectionOf(link.run(stop.signal))).code).toBe('CONFIG_DAMAGED')
  expect(hub.links).toBe(0)
})
