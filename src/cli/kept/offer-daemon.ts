import { runInForeground } from '../../process/foreground.ts'
import type { NextStep } from '../../tasks/machine/next-step.ts'
import { agrees } from '../output/agrees.ts'

/**
 * Where no agent runs, and what was just done needs one: asks whoever sits at the terminal whether to run the
 * command for it now, and runs it.
 *
 * @param step what has it run, see startStep
 * @param what it is for, to follow "so that"
 * @param configFile the value of --config
 * @returns its exit code; undefined if nobody was asked, or they don't want it
 */
export async function offerDaemon(
  { command, note }: NextStep,
  what: string,
  configFile: string | undefined,
): Promise<number | undefined> {
  const { stdin, stdout, stderr, env, execPath, argv } = process
  if (!stdin.isTTY || !stdout.isTTY || !stderr.isTTY || env.CI) return undefined
  const also = note === null ? '' : ` (${note})`
  if (!(await agrees(`Run ${command} now, so that ${what}${also}? [Y/n] `))) return undefined
  // A process of its own, as if it was typed: what acts by a platform is loaded otherwise, see start.ts.
  const words = command.split(' ').slice(1)
  const config = configFile === undefined ? [] : ['--config', configFile]
  return runInForeground([execPath, argv[1]!, ...words, ...config], env)
}
