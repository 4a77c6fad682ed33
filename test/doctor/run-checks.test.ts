import { homedir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Check, Finding } from '../../src/doctor/check.ts'
import { runChecks } from '../../src/doctor/run-checks.ts'
import { Unseen, unseen } from '../../src/doctor/unseen.ts'
import { Skipped } from '../../src/doctor/way/skipped.ts'
import { ConnectError } from '../../src/errors.ts'

const soon = () => performance.now() + 30_000

function check(name: string, run: Check<undefined>['run'], timeoutMs?: number): Check<undefined> {
  return { name, group: 'machine', title: name, run, ...(timeoutMs !== undefined && { timeoutMs }) }
}

const fine: Finding = { state: 'ok', seen: 'fine' }

test('they run side by side, and are told in their own order', async () => {
  const first = Promise.withResolvers<Finding>()
  const order: string[] = []
  const checks = [
    check('waits for the other', () => first.promise),
    check('frees the other', async () => {
      first.resolve(fine)
      return fine
    }),
  ]
  const all = await runChecks(checks, undefined, {
    untilMs: soon(),
    onChecked: (one) => order.push(one.check.name),
  })
  expect(all.map((one) => one.check.name)).toEqual(['waits for the other', 'frees the other'])
  expect(order).toHaveLength(2)
})

test('what one throws is told by one rule, in words, and costs the others nothing', async () => {
  const all = await runChecks(
    [
      check('says why', () => Promise.reject(new ConnectError('CONFIG_DAMAGED', 'It is damaged'))),
      check('rests on another', () => Promise.reject(new Skipped('Not looked at'))),
      check('could not look', () => Promise.reject(new Unseen('It is hidden', 'Run: show'))),
      check('asks what can’t be asked', async () => {
        await unseen(Promise.reject(new ConnectError('SERVICE_MANAGER_FAILED', 'It hangs')))
        return fine
      }),
      check('was refused', () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOSPC' }))),
      check('could not read a file', () => {
        const file = path.join(homedir(), 'a', 'file')
        const why = `ENOENT: no such file or directory, open '${file}'`
        return Promise.reject(new ConnectError('CONFIG_UNREADABLE', `Could not read ${file}: ${why}`))
      }),
      check('has a bug', () => {
        throw new TypeError('x is not a function')
      }),
      check('is well', async () => fine),
    ],
    undefined,
    { untilMs: soon() },
  )
  expect(all.map(({ state, seen }) => [state, seen])).toEqual([
    ['failed', 'It is damaged'],
    ['skipped', 'Not looked at'],
    ['unknown', 'It is hidden'],
    ['unknown', 'It hangs'],
    ['unknown', 'This machine refused: no'],
    ['failed', 'Could not read ~/a/file: no such file or directory'],
    ['unknown', 'This check itself failed: x is not a function'],
    ['ok', 'fine'],
  ])
  expect(all[0]!.fix).toMatch(/connect login/)
  expect(all[2]!.fix).toBe('Run: show')
})

test('one that hangs is unknown after its own deadline, and told to stop', async () => {
  let isAborted = false
  const hangs: Check<undefined>['run'] = (_, signal) => {
    signal.addEventListener('abort', () => (isAborted = true))
    return new Promise(() => {})
  }
  const [one] = await runChecks([check('hangs', hangs, 20)], undefined, { untilMs: soon() })
  expect(one).toMatchObject({ state: 'unknown', seen: 'No answer within 1 s' })
  expect(isAborted).toBe(true)
})

test('no deadline of a check is later than that of all of them', async () => {
  const begun = performance.now()
  const hangs = check('hangs', () => new Promise(() => {}), 60_000)
  const [one] = await runChecks([hangs], undefined, { untilMs: performance.now() - 1 })
  expect(one!.state).toBe('unknown')
  expect(performance.now() - begun).toBeLessThan(20_000)
})

test('what others have said is harmless, and not endless', async () => {
  const finding: Finding = { state: 'warning', seen: `\u001b[2J${'x'.repeat(5000)}`, fix: 'Say \u0007' }
  const [one] = await runChecks([check('quotes', async () => finding)], undefined, { untilMs: soon() })
  for (const text of [one!.seen, one!.fix!])
    for (const control of ['\u001b', '\u0007']) expect(text).not.toContain(control)
  expect(one!.seen.length).toBeLessThan(1000)
})
