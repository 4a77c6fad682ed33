// Whether the tests would notice: `npm run mutate -- src/tunnel/protocol/decode.ts src/files/lock.ts`, with
// --area by all of an area's tests.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { codeOf, messageOf } from '../../src/errors.ts'
import { root } from '../helpers/cli.ts'
import { endLeftBehind, markRun } from './left-behind.ts'
import { isThatOne, type Mutant } from './mutant.ts'
import { scoreOf, survivorsOf, updateSummary, whyOf } from './summary.ts'
import { testsOf } from './tests-of.ts'
import { UNNOTICEABLE } from './unnoticeable.ts'

const summaryFile = path.join(root, 'bench', 'results', 'mutation.md')

const planned = plans()
// Takes seconds.
const { mutate } = await import('./stryker.ts')
markRun()
for (const { file, tests } of planned) {
  console.log(`${file}, by ${tests.join(' ')}`)
  const mutants = await mutate(file, tests).finally(endLeftBehind)
  report(file, mutants)
  // After each file: one run takes long, and the next may be stopped.
  writeFileSync(
    summaryFile,
    updateSummary(readSummary(), [{ file, mutants, date: new Date() }], UNNOTICEABLE),
  )
}

/** Ends the run with a sentence if something of the command line can't be used. */
function plans(): { file: string; tests: string[] }[] {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { area: { type: 'boolean', default: false } },
    })
    if (positionals.length === 0)
      throw new Error('Which files? npm run mutate -- src/tunnel/protocol/decode.ts')
    return positionals.map((name) => {
      const file = path.relative(root, path.resolve(name)).split(path.sep).join('/')
      return { file, tests: testsOf(file, values.area) }
    })
  } catch (error) {
    console.error(`[x] ${messageOf(error)}`)
    return process.exit(2)
  }
}

function report(file: string, mutants: readonly Mutant[]): void {
  // A hang is noticed, but on a busy machine it may be none.
  const hung = mutants.filter(({ fate }) => fate === 'timed out')
  for (const mutant of [...hung, ...survivorsOf(mutants)]) {
    const why = whyOf(mutant, UNNOTICEABLE)
    console.log(`${file}:${mutant.line} ${mutant.fate}${why === undefined ? '' : `: ${why}`}`)
    console.log(`  ${mutant.code}\n  ${mutant.change}`)
  }
  console.log(`${file}: score ${scoreOf(mutants).toFixed(2)}, ${mutants.length} mutants`)
  const stale = UNNOTICEABLE.filter(
    (known) => known.file === file && !survivorsOf(mutants).some((mutant) => isThatOne(mutant, known)),
  )
  for (const { change } of stale) console.log(`[!] Explained, but noticed or gone: ${change}`)
}

function readSummary(): string {
  try {
    return readFileSync(summaryFile, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}
