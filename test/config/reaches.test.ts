import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor, type AgentInstance } from '../../src/config/instance.ts'
import { MAX_REACHES, readReaches, withReach, writeReaches } from '../../src/config/reaches.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const web = { name: 'web', port: 3000 }
const postgres = { name: 'postgres', port: 5432, bind: '::1' }

function many(count: number) {
  return Array.from({ length: count }, (_, index) => ({ name: `s${index}`, port: 3000 + index }))
}

function emptyInstance(): AgentInstance {
  return instanceFor(path.join(scratchFolder(), 'staging.json'))
}

test('nothing is kept until something is', () => {
  expect(readReaches(emptyInstance())).toEqual([])
})

test('what is kept is read again, by name, and lies beside the config', () => {
  const instance = emptyInstance()
  writeReaches(instance, [web, postgres])
  expect(readReaches(instance)).toEqual([postgres, web])
  expect(path.basename(instance.reachesFile)).toBe('staging.reaches.json')
  expect(statSync(instance.reachesFile).mode & 0o777).toBe(0o600)
})

test('a version of before is told that it can’t read reaches whose agents are kept, and reads all others', () => {
  const instance = emptyInstance()
  const versionOf = () =>
    (JSON.parse(readFileSync(instance.reachesFile, 'utf8')) as { version: number }).version
  writeReaches(instance, [web])
  expect(versionOf()).toBe(1)
  const ofAda = { ...postgres, agent: 'agent_90facafea9b15566' }
  writeReaches(instance, [web, ofAda])
  expect(versionOf()).toBe(2)
  expect(readReaches(instance)).toEqual([ofAda, web])
})

test('one reach more than the most is refused, one in the place of another is not', () => {
  const full = many(MAX_REACHES)
  const error = thrownBy(() => withReach(full, web))
  expect(error).toMatchObject({ code: 'BAD_VALUE', message: 'One agent keeps 100 reaches at most' })
  expect(error.hints).toEqual(['Take one back first: connect unreach NAME'])
  expect(withReach(full, { ...web, name: 's0' })).toHaveLength(MAX_REACHES)
})

describe('a list of reaches', () => {
  const file = (reaches: unknown) => JSON.stringify({ version: 1, reaches })
  test.for([
    ['is cut short', file([web]).slice(0, -5)],
    ['has no reaches', '{"version":1}'],
    ['has a reach without a port', file([{ name: 'web' }])],
    ['has port 0', file([{ ...web, port: 0 }])],
    ['has port 65536', file([{ ...web, port: 65_536 }])],
    ['has an address that would be looked up', file([{ ...web, bind: 'localhost' }])],
    ['has a name that is none', file([{ ...web, name: '../web' }])],
    ['has a field that nobody knows', file([{ ...web, command: 'rm -rf /' }])],
    ['has an agent that is none', file([{ ...web, agent: 'agent_1' }])],
    ['has an agent without a name', file([{ ...web, agent: null }])],
    ['has a name twice', file([web, { ...web, port: 1 }])],
    ['has more reaches than one agent may keep', file(many(MAX_REACHES + 1))],
  ] as const)('that %s is refused, and stays as it is', ([, text]) => {
    const instance = emptyInstance()
    writeFileSync(instance.reachesFile, text)
    const error = thrownBy(() => readReaches(instance))
    expect(error.code).toBe('REACHES_DAMAGED')
    expect(error.message).toContain(instance.reachesFile)
    expect(readFileSync(instance.reachesFile, 'utf8')).toBe(text)
  })

  test('of a newer version is not taken for a damaged one', () => {
    const instance = emptyInstance()
    writeFileSync(instance.reachesFile, '{"version":3,"reaches":{}}')
    expect(thrownBy(() => readReaches(instance)).code).toBe('CONFIG_NEWER')
  })
})
