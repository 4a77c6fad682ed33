import { expect, test } from 'vitest'
import { wordsOf } from '../../../../src/config/kind.ts'
import { notesOf, stateOf } from '../../../../src/platforms/systemd/manager/state.ts'
import { parseUnitState } from '../../../../src/platforms/systemd/manager/state.ts'
import { sample, samplesNamed } from '../helpers/sample.ts'

const INSTALL = 'Run: connect daemon install'
const DISABLED = `It does not start by itself: the unit is disabled. ${INSTALL}`
const GONE = `The unit’s file is gone. ${INSTALL}`
const BAD = `systemd can’t read the unit. ${INSTALL}`
const CHANGED = 'The unit was changed and not read since. Run: connect daemon restart'
const MASKED = 'The unit is masked: it can’t be started'
const DROP_IN =
  'Settings of your own apply: /home/dev/.config/systemd/user/private-connect.service.d/more.conf'
const AGAIN = 'It ended, and is started again after 10 s'

/** Every sample of a unit, and what is said of it. */
const SAID: Record<string, [state: string, reason: string | undefined, notes: string[]]> = {
  'auto-restart-killed': ['restarting', `${AGAIN}: Process was ended by SIGKILL`, [DISABLED, DROP_IN]],
  'auto-restart': ['restarting', `${AGAIN}: Process exited with code 1`, [DISABLED]],
  'bad-setting': ['stopped', undefined, [BAD]],
  changed: ['running', undefined, [CHANGED]],
  disabled: ['stopped', undefined, [DISABLED]],
  'drop-in-not-reloaded': ['running', undefined, [DISABLED]],
  'drop-in': ['running', undefined, [DISABLED, DROP_IN]],
  empty: ['stopped', undefined, [MASKED]],
  enabled: ['stopped', undefined, []],
  ended: ['stopped', undefined, [DISABLED]],
  'failed-78': ['stopped', 'It stays down: Process exited with code 78', [DISABLED]],
  garbage: ['stopped', undefined, [BAD]],
  'masked-running': ['running', undefined, [MASKED]],
  masked: ['stopped', undefined, [MASKED]],
  'no-exec': ['stopped', undefined, [BAD]],
  'no-log-folder': [
    'restarting',
    `${AGAIN}: systemd could not run it (exit code 209): the log can’t be opened`,
    [DISABLED],
  ],
  'no-program-exec': [
    'restarting',
    `${AGAIN}: systemd could not run it (exit code 203): the program is missing, or can’t be run`,
    [DISABLED],
  ],
  'no-program-simple': [
    'restarting',
    `${AGAIN}: systemd could not run it (exit code 203): the program is missing, or can’t be run`,
    [DISABLED],
  ],
  'not-found': ['stopped', undefined, [GONE]],
  'not-reloaded': ['stopped', undefined, [DISABLED]],
  'removed-reloaded': ['running', undefined, [GONE]],
  'removed-stopped': ['stopped', undefined, [GONE]],
  removed: ['running', undefined, [CHANGED]],
  running: ['running', undefined, []],
  'start-limit-hit-again': ['stopped', 'It stays down: Process exited with code 1', [DISABLED]],
  'start-limit-hit-success': ['stopped', 'It stays down: Process exited with code 0', [DISABLED]],
  'start-limit-hit': ['stopped', 'It stays down: Process exited with code 1', [DISABLED]],
  'stop-timeout': ['stopped', undefined, [DISABLED]],
  stopped: ['stopped', undefined, []],
  stopping: ['stopping', undefined, [DISABLED]],
}

const shows = samplesNamed(/^show-(?!user|bare)/)

test('every sample is in the table', () => {
  expect(Object.keys(SAID).toSorted()).toEqual(shows.map((name) => name.slice(5)).toSorted())
})

test.for(Object.entries(SAID))('%s', ([name, said]) => {
  const unit = parseUnitState(sample(`show-${name}`).stdout)!
  const { state, reason } = stateOf(unit)
  expect([state, reason, notesOf(unit, { words: wordsOf({ kind: 'agent' }) })]).toEqual(said)
})

test('ends and restarts are counted', () => {
  const restarted = (count: number) => {
    const text = sample('show-auto-restart').stdout.replace('NRestarts=0', `NRestarts=${count}`)
    return stateOf(parseUnitState(text)!).reason
  }
  expect(restarted(0)).toBe(`${AGAIN}: Process exited with code 1`)
  expect(restarted(1)).toBe(`${AGAIN}: Process exited with code 1, started again once so far`)
  expect(restarted(7)).toBe(`${AGAIN}: Process exited with code 1, started again 7 times so far`)
})

test.for(['', 'Failed to connect to bus', 'LoadState=loaded\nActiveState=active\n'])(
  'what is no answer is not taken for one: %j',
  (text) => {
    expect(parseUnitState(text)).toBeUndefined()
  },
)

test('a state that this version does not know is not taken for stopped', () => {
  const text = sample('show-running').stdout.replace('ActiveState=active', 'ActiveState=dreaming')
  expect(stateOf(parseUnitState(text)!)).toEqual({
    state: 'unknown',
    reason: 'systemd says: dreaming (running)',
  })
})
