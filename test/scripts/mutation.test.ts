import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { root } from '../helpers/cli.ts'
import { endLeftBehind, markRun } from '../mutation/left-behind.ts'
import type { Mutant } from '../mutation/mutant.ts'
import { scoreOf, updateSummary } from '../mutation/summary.ts'
import { testsOf } from '../mutation/tests-of.ts'

const file = 'src/files/lock.ts'
const survivor: Mutant = { file, line: 7, code: 'if (a > b)', change: 'a > b → a >= b', fate: 'survived' }
const killed: Mutant = { ...survivor, change: 'a > b → true', fate: 'killed' }
const timedOut: Mutant = { ...survivor, change: 'a > b → false', fate: 'timed out' }
const untouched: Mutant = { ...survivor, line: 3, change: '`x` → ``', fate: 'not covered' }
const date = new Date('2026-01-02T00:00:00Z')

test('a hang counts as noticed, a line that no test reaches does not', () => {
  expect(scoreOf([survivor, killed, timedOut, untouched])).toBe(0.5)
  // Never rounded up: a score of 1 leaves nothing to look at.
  expect(scoreOf([survivor, ...Array.from({ length: 999 }, () => killed)])).toBe(0.99)
  expect(scoreOf([killed])).toBe(1)
})

test('the summary has a row for each file, and lists what was not noticed, with the reason if there is one', () => {
  const text = updateSummary(
    '',
    [{ file, mutants: [survivor, killed, timedOut, untouched], date }],
    [{ file, code: 'if (a > b)', change: 'a > b → a >= b', why: 'they are never equal' }],
  )
  expect(text).toContain('| src/files/lock.ts | 4 | 1 | 1 | 1 | 1 | 1 | 0.50 | 2026-01-02 |\n')
  expect(text).toContain(
    '### src/files/lock.ts\n\n- line 3: `` `x` → `` ``\n- line 7: `a > b → a >= b`: they are never equal\n',
  )
})

test('a file that is measured again takes the place of itself, the others stay as they are', () => {
  const other = 'src/agent/last-failure.ts'
  const both = updateSummary(
    '',
    [
      { file, mutants: [survivor, killed], date },
      { file: other, mutants: [{ ...survivor, file: other }], date },
    ],
    [],
  )
  const rows = (text: string) => text.split('\n').filter((line) => line.startsWith('| src/'))
  const again = updateSummary(both, [{ file, mutants: [killed], date }], [])
  expect(rows(again)).toEqual([
    rows(both)[0],
    '| src/files/lock.ts | 1 | 1 | 0 | 0 | 0 | 0 | 1.00 | 2026-01-02 |',
  ])
  expect(again.slice(again.indexOf('## Not noticed'))).toBe(
    `## Not noticed\n\n### ${other}\n\n- line 7: \`a > b → a >= b\`\n`,
  )
  expect(updateSummary(both, [], [])).toBe(both)
})

test('a file is measured by the tests of its area that import it, its namesake first, else by all of the area', () => {
  expect(testsOf('src/tunnel/stream/send-window.ts', false).slice(0, 2)).toEqual([
    'test/tunnel/stream/send-window.test.ts',
    'test/tunnel/stream/bridge.test.ts',
  ])
  expect(testsOf('src/agent/last-failure.ts', false)).toEqual(['test/agent/last-failure.test.ts'])
  expect(testsOf('src/files/lock.ts', true)).toContain('test/files/read-text.test.ts')
  expect(testsOf('src/files/check-is-file.ts', false).toSorted()).toEqual(
    testsOf('src/files/lock.ts', true).toSorted(),
  )
  expect(() => testsOf('src/start.ts', false)).toThrow('No tests belong to src/start.ts')
})

test('a file that is none, and an option that there is not, end a run with a sentence and 2', async () => {
  const script = path.join(root, 'test', 'mutation', 'run.ts')
  for (const [args, why] of [
    [['wrong-file.ts'], 'There is no file wrong-file.ts below src'],
    [['src/tunnel/wrong-file.ts'], 'There is no file src/tunnel/wrong-file.ts below src'],
    [['src/start.ts'], 'No tests belong to src/start.ts'],
    [[], 'Which files? npm run mutate -- src/tunnel/protocol/decode.ts'],
    [['--every'], "Unknown option '--every'"],
  ] as const) {
    const run = runProgram([process.execPath, script, ...args])
    expect(await run.exited).toEqual({ code: 2, signal: null })
    expect(run.output).toMatch(/^\[x\] .+\n$/)
    expect(run.output).toContain(why)
  }
})

test.runIf(process.platform === 'linux')(
  'what a run has started ends with it, whoever its parent is by then',
  async () => {
    const { MUTATION_RUN } = process.env
    onTestFinished(() => {
      if (MUTATION_RUN === undefined) delete process.env.MUTATION_RUN
      else process.env.MUTATION_RUN = MUTATION_RUN
    })
    const before = runProgram(['sleep', '60'])
    markRun()
    const shell = runProgram(['sh', '-c', 'setsid sleep 60 > /dev/null 2>&1 & echo "started $!"'])
    const [, pid] = await shell.printed(/started (\d+)/)
    await shell.exited
    expect(identify(Number(pid))).toBeDefined()
    endLeftBehind()
    expect(await waitFor(() => (identify(Number(pid)) ? undefined : true), { timeoutMs: 30_000 })).toBe(true)
    expect(identify(before.pid)).toBeDefined()
  },
)
