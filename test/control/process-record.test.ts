import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import {
  clearStaleRecord,
  endProcessRecord,
  endReason,
  namesAProcess,
  ownIdentity,
  readProcessRecord,
  writeProcessRecord,
  type ProcessEnd,
} from '../../src/control/process-record.ts'
import { identify } from '../../src/process/identity.ts'
import { identityFor } from '../fixtures/identity.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

function emptyInstance(): Instance {
  return instanceFor(path.join(scratchFolder(), 'staging.json'))
}

const end: ProcessEnd = {
  at: '2026-01-02T00:00:00.000Z',
  reason: 'revoked',
  code: 78,
  signal: null,
  fix: 'x',
}

test('a record is read as it was written; the PID file holds a bare number, for scripts', () => {
  const instance = emptyInstance()
  expect(namesAProcess(instance)).toBe(false)
  const record = writeProcessRecord(instance, identityFor(instance))
  expect(readProcessRecord(instance)).toEqual(record)
  expect(namesAProcess(instance)).toBe(true)
  expect(readFileSync(instance.pidFile, 'utf8')).toBe(`${process.pid}\n`)
  expect(statSync(instance.pidFile).mode & 0o777).toBe(0o600)
  expect(statSync(instance.recordFile).mode & 0o777).toBe(0o600)
})

test('an agent in the foreground is no daemon: it has no PID file', () => {
  const instance = emptyInstance()
  writeFileSync(instance.pidFile, '1\n')
  writeProcessRecord(instance, identityFor(instance, { mode: 'foreground' }))
  expect(existsSync(instance.pidFile)).toBe(false)
  expect(readProcessRecord(instance)?.mode).toBe('foreground')
})

test('an agent says what it was started with', () => {
  const self = ownIdentity()
  expect(self).toEqual({ ...identify(process.pid), node: process.execPath, script: process.argv[1] })
  const { argv } = process
  onTestFinished(() => void (process.argv = argv))
  // As in `node -e`.
  process.argv = [process.execPath]
  expect(ownIdentity().script).toBe('')
})

test('an end is told by its signal, if it had one', () => {
  expect(endReason({ signal: 'SIGTERM' })).toBe('ended by SIGTERM')
  expect(endReason({ signal: null })).toBe('ended by itself')
})

describe('how an agent ended is kept:', () => {
  test('its own words, also while the next one runs', () => {
    const instance = emptyInstance()
    writeProcessRecord(instance, identityFor(instance))
    endProcessRecord(instance, end)
    expect(existsSync(instance.pidFile)).toBe(false)
    expect(namesAProcess(instance)).toBe(false)
    expect(readProcessRecord(instance)).toMatchObject({ end })
    writeProcessRecord(instance, identityFor(instance, { startTime: 'later', nonce: 'next' }))
    expect(readProcessRecord(instance)).toMatchObject({ nonce: 'next', previousEnd: end })
    expect(readProcessRecord(instance)?.end).toBeUndefined()
  })

  test('also when whoever started the next one has recorded it first', () => {
    const instance = emptyInstance()
    writeProcessRecord(instance, identityFor(instance, { pid: 1 }))
    endProcessRecord(instance, end)
    writeProcessRecord(instance, identityFor(instance, { nonce: 'by the starter' }))
    writeProcessRecord(instance, identityFor(instance, { nonce: 'by itself' }))
    expect(readProcessRecord(instance)).toMatchObject({ nonce: 'by itself', previousEnd: end })
  })

  test.for([
    ['a kill', {}, /without a word/],
    ['a restart of the machine', { bootAndNamespace: 'another-boot pid:[1]' }, /machine was restarted/],
  ] as const)('%s, which it could not tell itself', ([, other, reason]) => {
    const instance = emptyInstance()
    writeProcessRecord(instance, identityFor(instance, other))
    clearStaleRecord(instance)
    expect(readProcessRecord(instance)?.end).toMatchObject({ at: null, code: null, signal: null })
    expect(readProcessRecord(instance)?.end?.reason).toMatch(reason)
    expect(existsSync(instance.pidFile)).toBe(false)
  })
})

test('an end of an agent that nobody has recorded is not recorded', () => {
  const instance = emptyInstance()
  writeFileSync(instance.pidFile, '1\n')
  endProcessRecord(instance, end)
  expect(readdirSync(instance.folder)).toEqual([])
})

test('what an agent has said of its end is not taken for an end without a word', () => {
  const instance = emptyInstance()
  writeProcessRecord(instance, identityFor(instance))
  endProcessRecord(instance, end)
  clearStaleRecord(instance)
  expect(readProcessRecord(instance)?.end).toEqual(end)
})

test('a record that came here with a copied folder is cleared away', () => {
  const instance = emptyInstance()
  writeProcessRecord(instance, identityFor(instance, { configFile: '/home/else/staging.json' }))
  clearStaleRecord(instance)
  expect(readdirSync(instance.folder)).toEqual([])
})

test.for(['{"pid":', '{"pid":-1}', ''])(
  'a record that makes no sense names nobody, and is cleared: %s',
  (text) => {
    const instance = emptyInstance()
    writeFileSync(instance.recordFile, text)
    expect(readProcessRecord(instance)).toBeUndefined()
    expect(namesAProcess(instance)).toBe(true)
    clearStaleRecord(instance)
    expect(namesAProcess(instance)).toBe(false)
  },
)

test.for(['pidFile', 'recordFile'] as const)(
  'a folder in the place of the %s is an error, not "nobody runs"',
  (name) => {
    const instance = emptyInstance()
    mkdirSync(instance[name])
    expect(thrownBy(() => namesAProcess(instance))).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: `${instance[name]} is not a file`,
    })
  },
)

test.runIf(process.getuid?.() === 0)('a record that another user has written is not believed', () => {
  const instance = emptyInstance()
  writeProcessRecord(instance, identityFor(instance))
  chownSync(instance.recordFile, 65_534, 65_534)
  expect(thrownBy(() => readProcessRecord(instance)).message).toContain(instance.recordFile)
})
