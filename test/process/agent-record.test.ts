import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import {
  findAgent,
  ownIdentity,
  removeAgentRecord,
  writeAgentRecord,
  type AgentRecord,
} from '../../src/process/agent-record.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

function emptyInstance(): Instance {
  return instanceFor(path.join(scratchFolder(), 'staging.json'))
}

const record: AgentRecord = {
  ...ownIdentity(),
  nonce: '0123456789abcdef',
  mode: 'daemon',
  version: '0.1.0',
  startedAt: '2026-01-01T00:00:00.000Z',
}

test('an agent that is recorded is found, until the record is removed', () => {
  const instance = emptyInstance()
  expect(findAgent(instance)).toEqual({ state: 'none' })
  writeAgentRecord(instance, record)
  expect(findAgent(instance)).toEqual({ state: 'running', record })
  removeAgentRecord(instance)
  expect(findAgent(instance)).toEqual({ state: 'none' })
})

test('the PID file holds a bare number, for scripts', () => {
  const instance = emptyInstance()
  writeAgentRecord(instance, record)
  expect(readFileSync(instance.pidFile, 'utf8')).toBe(`${process.pid}\n`)
  expect(statSync(instance.pidFile).mode & 0o777).toBe(0o600)
  expect(statSync(instance.recordFile).mode & 0o777).toBe(0o600)
})

test('an agent in the foreground is no daemon: it has no PID file', () => {
  const instance = emptyInstance()
  writeFileSync(instance.pidFile, '1\n')
  writeAgentRecord(instance, { ...record, mode: 'foreground' })
  expect(existsSync(instance.pidFile)).toBe(false)
  expect(findAgent(instance)).toMatchObject({ state: 'running', record: { mode: 'foreground' } })
})

describe('what is left of an agent that is gone is stale:', () => {
  test.for([
    ['a PID file alone, though a process has that number', String(process.pid), undefined],
    ['a PID file that holds no number', 'x', undefined],
    ['an empty PID file', '', undefined],
    ['a record of another start', undefined, JSON.stringify({ ...record, startTime: 'earlier' })],
    ['a record of another boot', undefined, JSON.stringify({ ...record, world: 'earlier' })],
    ['a damaged record and a PID file', '1', '{"pid":'],
    ['a record that makes no sense', '1', '{"pid":-1}'],
  ] as const)('%s', ([, pid, text]) => {
    const instance = emptyInstance()
    if (pid !== undefined) writeFileSync(instance.pidFile, pid)
    if (text !== undefined) writeFileSync(instance.recordFile, text)
    expect(findAgent(instance)).toEqual({ state: 'stale' })
    // Looking changes nothing.
    expect(existsSync(instance.pidFile)).toBe(pid !== undefined)
  })
})

test('a folder in the place of the PID file is an error, not "nobody runs"', () => {
  const instance = emptyInstance()
  mkdirSync(instance.pidFile)
  expect(thrownBy(() => findAgent(instance)).code).toBe('CONFIG_UNREADABLE')
})
