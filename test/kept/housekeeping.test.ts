import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHousekeeping, type Housekeeping } from '../../src/kept/housekeeping.ts'
import { hubInstance } from '../../src/config/hub/hub-instance.ts'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import { writeProcessRecord, type ProcessRecord } from '../../src/control/process-record.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { identityFor } from '../fixtures/identity.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

interface Kept {
  readonly instance: Instance
  readonly record: ProcessRecord
  readonly housekeeping: Housekeeping
  readonly script: string
  readonly said: string[]
  /** How often it has looked. */
  readonly looks: () => number
}

function kept(): Kept {
  const folder = scratchFolder()
  const instance = instanceFor(path.join(folder, 'staging.json'))
  const script = path.join(folder, 'run.js')
  for (const file of [instance.configFile, script]) writeFileSync(file, '')
  const record = writeProcessRecord(instance, identityFor(instance, { script }))
  const said: string[] = []
  let looks = 0
  const housekeeping = startHousekeeping({
    instance,
    record,
    log: (text) => said.push(text),
    needs: [instance.configFile],
    everyMs: 20,
    onTick: () => void looks++,
  })
  onTestFinished(() => housekeeping.stop())
  return { instance, record, housekeeping, script, said, looks: () => looks }
}

const soon = (what: () => boolean) => waitFor(() => what() || undefined, { timeoutMs: 30_000, everyMs: 5 })

test('a record and a PID file that were deleted are written again', async () => {
  const { instance, record } = kept()
  rmSync(instance.recordFile)
  rmSync(instance.pidFile)
  await soon(() => existsSync(instance.pidFile))
  expect(JSON.parse(readFileSync(instance.recordFile, 'utf8'))).toEqual(record)
})

describe('an agent that could never be started again gives up:', () => {
  test.for(['script', 'configFile'] as const)('its %s was deleted', async (which) => {
    const { housekeeping, instance, script } = kept()
    const file = which === 'script' ? script : instance.configFile
    rmSync(file)
    await soon(() => housekeeping.givenUp.aborted)
    expect(housekeeping.givenUp.reason).toMatchObject({
      code: 'PROGRAM_GONE',
      message: `${file} was deleted while the agent ran`,
    })
  })
})

test.for([
  ['an agent', () => instanceFor(path.join(scratchFolder(), 'staging.json')), 'connect daemon restart'],
  ['a hub', () => hubInstance({ dataDir: scratchFolder() }), 'connect hub restart'],
] as const)('%s whose program is gone names its own command for afterwards', async ([, of, command]) => {
  const instance = of()
  const script = path.join(scratchFolder(), 'gone.js')
  const record = writeProcessRecord(instance, identityFor(instance, { script }))
  const housekeeping = startHousekeeping({ instance, record, log: () => {}, everyMs: 5 })
  onTestFinished(() => housekeeping.stop())
  await soon(() => housekeeping.givenUp.aborted)
  expect(housekeeping.givenUp.reason).toMatchObject({
    code: 'PROGRAM_GONE',
    hints: [expect.stringMatching(`, then: ${command}$`)],
  })
})

test('a program that is away for a moment, as in an upgrade, is waited for', async () => {
  const { housekeeping, script, looks } = kept()
  await soon(() => looks() > 0)
  renameSync(script, `${script}.old`)
  renameSync(`${script}.old`, script)
  const before = looks()
  await soon(() => looks() > before + 3)
  expect(housekeeping.givenUp.aborted).toBe(false)
})

test('a folder that can’t be written is told in the log, and no end', async () => {
  const { instance, housekeeping, said } = kept()
  rmSync(instance.pidFile)
  rmSync(instance.recordFile)
  // A folder in its place: nothing can be renamed onto it.
  mkdirSync(path.join(instance.recordFile, 'x'), { recursive: true })
  await soon(() => said.length > 0)
  expect(said[0]).toMatch(/^\[!\] \S+agent\.json is not a file/)
  expect(housekeeping.givenUp.aborted).toBe(false)
})
