import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../../../src/config/kind.ts'
import { isCrashLooping, stateOf } from '../../../../src/platforms/launchd/manager/state.ts'
import { isInDisabled } from '../../../../src/platforms/launchd/manager/control.ts'
import { parseJobState, type JobState } from '../../../../src/platforms/launchd/manager/state.ts'
import { fixtures, labelIn, sample } from '../helpers/sample.ts'

const words = wordsOf({ kind: 'agent' })

const AGAIN = 'It ended, and launchd starts it again'

const parsed = (text: string) => parseJobState(text, labelIn(text))

/** Every sample of a job: its pid, and what is said of it. */
const SAID: Record<string, [pid: number | undefined, state: string, reason?: string]> = {
  'crash-loop': [60560, 'running'],
  mojave: [1486, 'running'],
  'never-started': [
    undefined,
    'stopped',
    'launchd has it, and has never started it. Run: connect daemon restart',
  ],
  'not-running': [
    undefined,
    'stopped',
    'It stays down: Process exited with code 0, by which it asks not to be started again',
  ],
  redis: [
    undefined,
    'stopped',
    'It stays down: Process exited with code 0, by which it asks not to be started again',
  ],
  running: [297, 'running'],
  'spawn-scheduled': [
    undefined,
    'restarting',
    `${AGAIN}: Process exited with code 0, started 640 times so far`,
  ],
  unbound: [4242, 'running'],
  wedged: [
    undefined,
    'restarting',
    `${AGAIN}: launchd could not run it (78: EX_CONFIG), started 2 times so far`,
  ],
  yosemite: [24784, 'running'],
}

test('every sample is in the table', () => {
  const names = readdirSync(fixtures).flatMap((file) => /^print-(?!disabled)(.*)\.txt$/.exec(file)?.[1] ?? [])
  expect(Object.keys(SAID).toSorted()).toEqual(names.toSorted())
})

test.for(Object.entries(SAID))('%s', ([name, said]) => {
  const job = parsed(sample(`print-${name}`))!
  const { state, reason } = stateOf(job, { words })
  expect([job.pid, state, ...(reason === undefined ? [] : [reason])]).toEqual(said)
})

test('a loop is told from a run by why it was started, how the last one ended, and its age', () => {
  const job = parsed(sample('print-crash-loop'))!
  expect(job).toMatchObject({ runs: 38_771, startReason: 'inefficient', exit: { by: 'code', number: 1 } })
  expect(isCrashLooping(job, 3000)).toBe(true)
  expect(isCrashLooping(job, 3_600_000)).toBe(false)
  expect(isCrashLooping(job, undefined)).toBe(true)
  expect(isCrashLooping({ ...job, exit: { by: 'code', number: 0 } }, 3000)).toBe(false)
  expect(isCrashLooping(parsed(sample('print-running'))!, 3000)).toBe(false)
})

/** A job of ours, as macOS writes it, with other lines in the place of some. */
function printed(lines: Readonly<Record<string, string>>): string {
  const fields = { state: 'running', pid: '42', runs: '1', 'last exit code': '(never exited)', ...lines }
  const text = Object.entries(fields).map(([name, value]) => `\t${name} = ${value}\n`)
  return `gui/501/co.privateconnect.agent = {\n${text.join('')}}\n`
}

const with_ = (lines: Readonly<Record<string, string>>): JobState => parsed(printed(lines))!

test.for([
  [{ state: 'xpcproxy' }, 'starting'],
  [{ state: 'spawning' }, 'starting'],
  [{ state: 'spawn scheduled', runs: '0' }, 'starting'],
  [{ state: 'SIGTERMed' }, 'stopping'],
  [{ state: 'SIGKILLed' }, 'stopping'],
  [{ state: 'waiting', 'last exit code': '1' }, 'restarting'],
  [{ state: 'waiting', 'last exit code': '0' }, 'stopped'],
  [{ state: 'exited', 'last exit code': '0' }, 'stopped'],
  [{ state: 'running', pid: '0' }, 'unknown'],
  [{ state: 'dreaming' }, 'unknown'],
] as const)('%o is %s', ([lines, state]) => {
  expect(stateOf(with_(lines), { words }).state).toBe(state)
})

test.for([
  [{ 'last exit code': '0' }, { by: 'code', number: 0 }],
  [{ 'last exit code': '78: EX_CONFIG' }, { by: 'code', number: 78 }],
  [{ 'last exit code': '1: Operation not permitted' }, { by: 'code', number: 1 }],
  [{ 'last exit code': '(never exited)' }, undefined],
  [{ 'last exit code': 'a long time ago' }, undefined],
  [{ 'last terminating signal': 'Killed: 9' }, { by: 'signal', number: 9 }],
  [{ 'last terminating signal': 'Segmentation fault: 11' }, { by: 'signal', number: 11 }],
] as const)('%o is how it ended', ([lines, exit]) => {
  expect(with_(lines).exit).toEqual(exit)
})

describe('it is not known what a text says', () => {
  const good = printed({})
  test.for<[what: string, text: string]>([
    ['nothing', ''],
    ['another answer', 'Bad request.\nCould not find service\n'],
    ['another job', good.replace('co.privateconnect.agent', 'co.privateconnect.agent.staging')],
    ['a job whose label ends like ours', good.replace('gui/501/co.', 'gui/501/not-co.')],
    ['spaces for tabs', good.replaceAll('\t', '        ')],
    ['two states', good.replace('\tpid', '\tstate = not running\n\tpid')],
    ['a pid that is no number', printed({ pid: 'none' })],
    ['runs that are no number', printed({ runs: 'many' })],
    ['no state', good.replace(/\tstate.*\n/, '')],
    ['no end', good.replace(/\}\n$/, '')],
  ])('%s', ([, text]) => {
    expect(parseJobState(text, 'co.privateconnect.agent')).toBeUndefined()
  })

  test.for(Object.keys(SAID))('%s, cut short anywhere', (name) => {
    const text = sample(`print-${name}`).trimEnd()
    const label = labelIn(text)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), (length) => {
        expect(parseJobState(text.slice(0, length), label)).toBeUndefined()
      }),
    )
  })
})

test('what stands deeper, or has a name like it, is not the state', () => {
  const text = printed({}).replace(
    '\tpid',
    '\tjob state = exited\n\tcoalition = {\n\t\tstate = active\n\t\tpid = 7\n\t}\n\targuments = {\n\t\tstate = not running\n\t}\n\tpid',
  )
  expect(parsed(text)).toMatchObject({ state: 'running', pid: 42 })
})

test('the mark of the plist is read from the environment, and from nowhere else', () => {
  const at = (block: string) =>
    parsed(
      printed({}).replace('\tpid', `\t${block} = {\n\t\tCONNECT_DEFINITION => 0123456789abcdef\n\t}\n\tpid`),
    )
  expect(at('environment')?.definition).toEqual({ mark: '0123456789abcdef' })
  expect(at('arguments')?.definition).toBeUndefined()
})

test.for([
  ['bare', 'com.example.watchdog', true],
  ['indented', 'com.apple.Siri.agent', true],
  ['old', 'com.test.disabled', true],
  ['old', 'com.test.foo', false],
  ['old', 'com.test', false],
] as const)('in print-disabled as it is %s, %s is disabled: %s', ([name, label, expected]) => {
  expect(isInDisabled(sample(`print-disabled-${name}`), label)).toBe(expected)
})
