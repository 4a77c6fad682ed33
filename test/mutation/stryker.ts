import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import type { Fate, Mutant } from './mutant.ts'

const FATES: Partial<Record<Result['status'], Fate>> = {
  Killed: 'killed',
  // It failed where no test was running, on import for one: vitest says so as loudly.
  RuntimeError: 'killed',
  Timeout: 'timed out',
  Survived: 'survived',
  NoCoverage: 'not covered',
}

type Result = Awaited<ReturnType<Stryker['runMutationTest']>>[number]

/**
 * Changes a file in every way that Stryker knows, one at a time, in a copy of the repository below .cache,
 * and runs the tests that reach the change. It is there in the process of the test and its workers alone:
 * programs that a test starts run from dist/.
 *
 * @throws what Stryker ends with, such as a test that fails without any change
 */
export async function mutate(file: string, tests: readonly string[]): Promise<Mutant[]> {
  process.env.MUTATION_TESTS = tests.join(' ')
  // As Stryker reads it now: a run takes long, and it may be changed meanwhile.
  const text = readFileSync(file, 'utf8')
  const results = await new Stryker({
    mutate: [file],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    // Not by Stryker's own `testFiles`: with that it never sets what a module does on import (stryker-js
    // issue 6144).
    vitest: { configFile: 'test/mutation/vitest.config.ts', pool: 'forks', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // Beyond what the tests took without a change: on a busy machine slow is not yet hung.
    timeoutMS: 10_000,
    tempDirName: path.join('.cache', 'mutation'),
    cleanTempDir: 'always',
    ignorePatterns: ['/.cache', '/.git'],
    // Stryker would rewrite its paths, which are right in the copy as well, by a part of TypeScript that
    // version 7 lacks.
    tsconfigFile: 'none',
    reporters: ['progress-append-only'],
    warnings: false,
    allowConsoleColors: false,
  }).runMutationTest()
  return results.map((result) => mutantFrom(result, file, text))
}

function mutantFrom(
  { location: { start, end }, replacement, status }: Result,
  file: string,
  text: string,
): Mutant {
  const lines = text.split('\n')
  // Stryker counts lines and columns from 1.
  const offset = ({ line, column }: typeof start) =>
    lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, column - 1)
  return {
    file,
    line: start.line,
    code: (lines[start.line - 1] ?? '').trim(),
    change: `${onOneLine(text.slice(offset(start), offset(end)))} → ${onOneLine(replacement)}`,
    fate: fateOf(status),
  }
}

/** @throws Error if it was not tried; no option that is set leaves one out */
function fateOf(status: Result['status']): Fate {
  const fate = FATES[status]
  if (fate === undefined) throw new Error(`A mutant was not tried: ${status}`)
  return fate
}

function onOneLine(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim()
}
