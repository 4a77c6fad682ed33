import { existsSync, readFileSync, rmSync } from 'node:fs'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { Home } from '../home.ts'
import { Faulty } from './faulty.ts'
import { BUG, CODES, type Trials } from './trials.ts'

/** How a data command is started, and what it prints once it is up. */
export interface Start {
  readonly home: Home
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly isUp: RegExp
  /** Where it writes, if not to stdout and stderr. */
  readonly logFile?: string
}

/**
 * Has each call fail that a program makes until it is up, one at each start, with one of the errors in turn.
 * It may come up all the same; else it says why in a sentence, and ends with another code than 0.
 */
export async function faultsAtStart(start: Start, options: { every?: number } = {}): Promise<Trials> {
  const { every = 1 } = options
  const wrong: string[] = []
  let count = 0
  const calls = await callsOf(start)
  for (const name of Object.keys(calls).toSorted()) {
    for (let nth = 1; nth <= calls[name]!; nth += every) {
      const code = CODES[count % CODES.length]!
      count++
      const { isUp, output, end } = await run(start, { name, nth, code })
      const why = isUp ? undefined : whatIsWrong(output, end)
      if (why !== undefined || BUG.test(output)) wrong.push(`${name} ${nth} ${code}: ${why ?? ''}\n${output}`)
    }
  }
  return { count, functions: Object.keys(calls), wrong }
}

function whatIsWrong(output: string, end: string): string | undefined {
  if (end === '0') return 'it ended with 0'
  if (!/\[x\] /.test(output)) return `it ended with ${end}, without a sentence`
  return undefined
}

async function callsOf(start: Start): Promise<Record<string, number>> {
  const { command } = await begun(start)
  const report = await command.order()
  await command.stop('SIGKILL')
  return report!.calls
}

async function begun(
  { home, args, env, isUp, logFile }: Start,
  first: { name?: string; nth?: number; code?: string } = {},
): Promise<{ command: Faulty; log: () => string }> {
  if (logFile !== undefined) rmSync(logFile, { force: true })
  const command = await Faulty.start(home, args, env, first)
  const log = () =>
    command.output + (logFile !== undefined && existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')
  // Where the call that fails is the one that would say so, nothing comes: then it counts that the data
  // command lives.
  const isOver = () => !command.isAlive || isUp.test(log()) || undefined
  if (await waitFor(isOver, { timeoutMs: 30_000, everyMs: 20 })) await command.settled()
  return { command, log }
}

async function run(
  start: Start,
  first: { name: string; nth: number; code: string },
): Promise<{ isUp: boolean; output: string; end: string }> {
  const { command, log } = await begun(start, first)
  const isUp = command.isAlive
  await command.stop('SIGKILL')
  return { isUp, output: log(), end: command.end }
}
