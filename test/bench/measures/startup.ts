import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { quantile } from '../statistics.ts'

export interface Program {
  readonly title: string
  /** What Node.js is given. */
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** What must stand in its output: a program that fails fast is not a fast one. */
  readonly expected?: string
}

export interface Measured {
  readonly title: string
  /** What it takes where nothing else gets in its way: the lower quartile of all rounds. */
  readonly ms: number
  /** To the first program. */
  readonly ratio: Ratio
}

export interface Ratio {
  readonly all: number
  /** By the rounds with even numbers alone, and by those with odd ones: how far it can be believed. */
  readonly halves: readonly [number, number]
}

const WARM_UP_ROUNDS = 3

/** How far the two halves of the rounds may be apart, as a share of the ratio, before more are run. */
const AGREEMENT = 0.03

/** How often as many rounds are run at the most, where the halves don't agree. */
const MOST = 4

/**
 * Runs the programs in turns (A B C A B C …), so that a machine that gets slower does so for all of them.
 * What else runs there only ever adds to a time, to some more than to others: so lower quartiles are
 * compared. Where half of the rounds says something else than the other half, there are more.
 *
 * @param rounds at the least, four or more
 */
export function measureInTurns(rounds: number, programs: readonly Program[]): Measured[] {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) programs.forEach(run)
  const times: number[][] = []
  for (;;) {
    for (let round = 0; round < rounds; round++) times.push(programs.map(run))
    const measured = programs.map(({ title }, column) => summary(title, times, column))
    if (times.length >= MOST * rounds || measured.every(({ ratio }) => agree(ratio))) return measured
  }
}

/** @param times of each round, of each program in ms */
export function summary(title: string, times: readonly (readonly number[])[], column: number): Measured {
  const half = (rest: number) =>
    ratioIn(
      times.filter((_, round) => round % 2 === rest),
      column,
    )
  return {
    title,
    ms: typical(times, column),
    ratio: { all: ratioIn(times, column), halves: [half(0), half(1)] },
  }
}

function agree({ all, halves: [even, odd] }: Ratio): boolean {
  return Math.abs(even - odd) <= AGREEMENT * all
}

function ratioIn(times: readonly (readonly number[])[], column: number): number {
  return typical(times, column) / typical(times, 0)
}

function typical(times: readonly (readonly number[])[], column: number): number {
  return quantile(
    times.map((round) => round[column]!),
    0.25,
  )
}

/** @returns ms @throws Error if it failed */
function run({ title, argv, env, expected = '' }: Program): number {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' })
  const taken = performance.now() - start
  if (status !== 0 || !stdout.includes(expected)) throw new Error(`${title} failed:\n${stdout}${stderr}`)
  return taken
}
