import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { readAgentRecord, writeAgentRecord } from '../../src/control/agent-record.ts'
import { agentCarries, agentStatus } from '../../src/control/client.ts'
import { findAgent } from '../../src/control/find-agent.ts'
import { identify } from '../../src/process/identity.ts'
import { identityFor } from '../fixtures/identity.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('an agent that was started when the names were others is found and asked, and its end is kept', async () => {
  const instance = instanceFor(path.join(scratchFolder(), 'staging.json'))
  const agent = runFixture('be-first-agent.ts', [instance.configFile])
  onTestFinished(() => agent.stop())
  await agent.printed(/running/)
  const identity = identify(agent.pid)!

  expect(readAgentRecord(instance)).toMatchObject(identity)
  expect(readAgentRecord(instance)).not.toHaveProperty('world')
  expect(await findAgent(instance)).toMatchObject({ state: 'running', agent: identity })
  expect(await agentStatus(instance)).toMatchObject({ agent: identity, label: 'first' })
  expect(await agentCarries(instance, 22)).toEqual({ carries: true })
  await expect(agentCarries(instance, 23)).rejects.toThrow('There is no GET /v1/carries/23')

  await agent.stop('SIGTERM')
  expect(await findAgent(instance)).toEqual({ state: 'stale' })
  writeAgentRecord(instance, identityFor(instance, { nonce: 'the next' }))
  expect(readAgentRecord(instance)).toMatchObject({
    nonce: 'the next',
    previousEnd: { reason: 'it ended without a word: killed, or crashed' },
  })
})
