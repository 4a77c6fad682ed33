import { describe, expect, test } from 'vitest'
import {
  JobLookup,
  parseLookup,
  type DomainLookup,
} from '../../../../src/platforms/launchd/manager/lookup.ts'
import type { RunResult } from '../../../../src/process/run.ts'
import { thrownBy } from '../../../fixtures/thrown-by.ts'
import { sample } from '../helpers/sample.ts'

const answer = (code: number, stdout: string, stderr = ''): RunResult => ({
  outcome: 'exited',
  code,
  stdout,
  stderr,
})

const domainLookup = (result: RunResult) =>
  parseLookup(result, 'gui/501/homebrew.mxcl.unbound', 'homebrew.mxcl.unbound')

describe('launchctl print', () => {
  test.for<[what: string, result: RunResult, seen: DomainLookup['seen']]>([
    ['a job', answer(0, sample('print-unbound')), 'job'],
    [
      'no such job',
      answer(113, '', 'Bad request.\nCould not find service "L" in domain for user gui: 501\n'),
      'nothing',
    ],
    ['no such job, with another code', answer(1, '', 'Could not find service "L" in domain\n'), 'nothing'],
    ['nobody at the screen', answer(112, '', 'Could not find domain for user gui: 501\n'), 'no domain'],
    ['over ssh', answer(125, '', 'Domain does not support specified action\n'), 'no domain'],
    ['an answer in other words', answer(0, 'running: yes\n'), 'unknown'],
    ['another failure', answer(64, '', 'Unrecognized subcommand\n'), 'unknown'],
    ['no answer', { ...answer(0, ''), outcome: 'timed out', code: null }, 'unknown'],
    ['no launchctl', { ...answer(0, ''), outcome: 'missing', code: null }, 'unknown'],
  ])('says: %s', ([, result, seen]) => {
    expect(domainLookup(result).seen).toBe(seen)
  })

  test('what is not known is told with its reason', () => {
    const result = { ...answer(0, ''), outcome: 'timed out', code: null } as const
    expect(domainLookup(result)).toEqual({
      seen: 'unknown',
      why: 'launchctl print gui/501/homebrew.mxcl.unbound gave no answer in time',
    })
  })
})

describe('in both domains', () => {
  const job = domainLookup(answer(0, sample('print-unbound')))
  const seen = (gui: DomainLookup, user: DomainLookup) =>
    new JobLookup(
      new Map([
        ['gui/501', gui],
        ['user/501', user],
      ]),
    )
  const doubt: DomainLookup = { seen: 'unknown', why: 'it gave no answer in time' }

  test('a job in one is a job', () => {
    expect(seen({ seen: 'nothing' }, job).main()?.domain).toBe('user/501')
  })

  test('of two that have it, the one that has the agent’s process counts', () => {
    const other = { seen: 'job', job: { ...(job as { job: object }).job, pid: 7 } } as DomainLookup
    expect(seen(job, other).main(7)?.domain).toBe('user/501')
    expect(seen(job, other).main()?.domain).toBe('gui/501')
  })

  test('it is absent only if neither has it, and that is certain', () => {
    expect(seen({ seen: 'nothing' }, { seen: 'no domain' }).isAbsent).toBe(true)
    expect(seen({ seen: 'nothing' }, doubt).isAbsent).toBe(false)
    expect(seen({ seen: 'nothing' }, job).isAbsent).toBe(false)
    expect(thrownBy(() => seen({ seen: 'nothing' }, doubt).requireKnown())).toMatchObject({
      code: 'SERVICE_MANAGER_FAILED',
      message: 'it gave no answer in time',
    })
  })

  test('a domain that is not there is no place to load it', () => {
    expect(seen({ seen: 'no domain' }, { seen: 'nothing' }).domains).toEqual(['user/501'])
  })
})
