import { spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { spreadOf, type Spread } from '../statistics.ts'

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
  readonly medianMs: number
  /** To the first program in the same round. */
  readonly ratio: Spread
}

const WARM_UP_ROUNDS = 3

/**
 * Runs the programs in turns (A B C A B C …), and compares only within a round: on a busy machine the speed
 * drifts, but hardly within a tenth of a second.
 */
export function measureInTurns(rounds: number, programs: readonly Program[]): Measured[] {
  const times: number[][] = []
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const taken = programs.map(run)
    if (round >= 0) times.push(taken)
  }
  return programs.map(({ title }, column) => {
    return {
      title,
      medianMs: spreadOf(times.map((round) => round[column]!)).median,
      ratio: spreadOf(times.map((round) => round[column]! / round[0]!)),
    }
  })
}

/** @returns ms @throws Error if it failed */
function run({ title, argv, env, expected = '' }: Program): number {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' })
  const taken = performance.now() - start
  if (status !== 0 || !stdout.includes(expected)) throw new Error(`${title} failed:\n${stdout}${stderr}`)
  return taken
}
