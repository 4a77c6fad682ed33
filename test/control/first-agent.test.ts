import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { readProcessRecord, writeProcessRecord } from '../../src/control/process-record.ts'
import { agentCarries, agentStatus } from '../../src/control/client.ts'
import { findProcess } from '../../src/control/find-process.ts'
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

  expect(readProcessRecord(instance)).toMatchObject(identity)
  expect(readProcessRecord(instance)).not.toHaveProperty('world')
  expect(await findProcess(instance)).toMatchObject({ state: 'running', agent: identity })
  expect(await agentStatus(instance)).toMatchObject({ agent: identity, label: 'first' })
  expect(await agentCarries(instance, 22)).toEqual({ carries: true })
  await expect(agentCarries(instance, 23)).rejects.toThrow('There is no GET /v1/carries/23')

  await agent.stop('SIGTERM')
  expect(await findProcess(instance)).toEqual({ state: 'stale' })
  writeProcessRecord(instance, identityFor(instance, { nonce: 'the next' }))
  expect(readProcessRecord(instance)).toMatchObject({
    nonce: 'the next',
    previousEnd: { reason: 'it ended without a word: killed, or crashed' },
  })
})
