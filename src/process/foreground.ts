import { spawn, type ChildProcess } from 'node:child_process'
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { codeOf, ConnectError, messageOf } from '../errors.ts'
import { isInForeground } from './is-in-foreground.ts'
import { isOpen } from './is-open.ts'

/** Whoever sends one of these means the program. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']

/** A terminal sends these to each process in its foreground (termios(3)), and so to the program as well. */
const OF_KEYS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']

/**
 * Runs a program in this one's place: without a shell, with its terminal, its open files and its signals, but
 * with no join token. To be called where no one else listens for signals.
 *
 * @returns its exit code; 128 + n where signal n has ended it
 * @throws ConnectError PROGRAM_MISSING, PROGRAM_UNUSABLE, BAD_VALUE
 */
export async function runInForeground(
  [program, ...args]: readonly [string, ...string[]],
  given: NodeJS.ProcessEnv,
): Promise<number> {
  const { PRIVATECONNECT_TOKEN: _, ...env } = given
  refuseChangedBytes(args)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let child: ChildProcess | undefined
  const forward = (signal: NodeJS.Signals) => void child?.kill(signal)
  const forwardUnlessByKey = (signal: NodeJS.Signals) => isInForeground() || forward(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  for (const signal of OF_KEYS) process.on(signal, forwardUnlessByKey)
  try {
    // The first three are inherited, and whatever else an argument names.
    const stdio = Array.from(namedDescriptors(args), (isNamed, at) => (isNamed || at < 3 ? at : 'ignore'))
    child = spawn(program, args, { env, stdio })
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]))
    return await promise
  } catch (error) {
    throw cannotRun(program, error)
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward)
    for (const signal of OF_KEYS) process.off(signal, forwardUnlessByKey)
  }
}

/** Node.js reads arguments as UTF-8, and what is none would reach the program as something else. */
function refuseChangedBytes(args: readonly string[]): void {
  if (process.platform !== 'linux' || !args.some((arg) => arg.includes('\u{fffd}'))) return
  if (isUtf8(readFileSync('/proc/self/cmdline'))) return
  throw new ConnectError('BAD_VALUE', 'An argument is not UTF-8, and could not be passed on as it is', {
    hints: ['Put it into a script, and run that one.'],
  })
}

/**
 * A shell gives the output of another command as /dev/fd/11, say, and Node.js closes those below 16.
 *
 * @returns by descriptor whether an argument names it
 */
function namedDescriptors(args: readonly string[]): boolean[] {
  const named = [false, false, false]
  for (const [, text] of args.join('\0').matchAll(/\/(?:dev|proc\/self)\/fd\/(\d{1,2})(?!\d)/g)) {
    const descriptor = Number(text)
    if (isOpen(descriptor)) named[descriptor] = true
  }
  return named
}

function cannotRun(program: string, cause: unknown): ConnectError {
  if (codeOf(cause) === 'ENOENT' || program === '')
    return new ConnectError('PROGRAM_MISSING', `There is no program "${program}"`, { cause })
  const why = codeOf(cause) === 'EACCES' ? 'it is not executable' : messageOf(cause)
  return new ConnectError('PROGRAM_UNUSABLE', `"${program}" can’t be run: ${why}`, { cause })
}
