import { closeSync, constants, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { ConnectError, messageOf } from '../errors.ts'
import { openOurs } from '../files/open-ours.ts'
import { inheritedDescriptors } from './inherited-descriptors.ts'
import { needProc } from './need-proc.ts'

/** How a process ended. Exactly one of the two is set. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface DetachedProcess {
  readonly pid: number
  /** Settles when it ends, as long as this process lives; it doesn't keep this process alive. */
  readonly exited: Promise<Exit>
}

export interface DetachedOptions {
  /** Absolute path of the program, then its arguments. Never a shell. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Takes stdout and stderr; made with mode 0600 if missing. */
  readonly logFile: string
  /** What an error calls it, default `Daemon`. */
  readonly subject?: string
}

/**
 * Starts a process in a session of its own, with no descriptor of the caller's: it outlives the terminal, and
 * neither `ssh host …` nor a pipe waits for it.
 *
 * @throws ConnectError NO_PROC; DAEMON_FAILED if the program can't be run, WRITE_FAILED if the log
 * can't be opened
 */
export async function spawnDetached(options: DetachedOptions): Promise<DetachedProcess> {
  needProc()
  const log = openOutputLog(options.logFile)
  const nothing = openSync(devNull, 'r+')
  try {
    const [program, ...args] = options.command
    // Something else must take the place of what is not to be passed on: Node.js has no other way to say so.
    const stdio: ('ignore' | number)[] = ['ignore', log, log]
    for (const descriptor of inheritedDescriptors()) stdio[descriptor] = nothing
    const { spawn } = await import('node:child_process')
    const child = spawn(program, args, {
      cwd: options.cwd,
      detached: true,
      env: options.env,
      // Not a list with holes: those would be pipes.
      stdio: Array.from(stdio, (entry) => entry ?? 'ignore'),
      windowsHide: true,
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    child.unref()
    return { pid: child.pid as number, exited }
  } catch (error) {
    throw new ConnectError(
      'DAEMON_FAILED',
      `${options.subject ?? 'Daemon'} failed to start: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  } finally {
    closeSync(log)
    closeSync(nothing)
  }
}

/** @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED */
export function openOutputLog(file: string): number {
  try {
    return openOurs(file, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY)
  } catch (error) {
    if (error instanceof ConnectError) throw error
    throw new ConnectError('WRITE_FAILED', `Could not open the log ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** @returns `exited with code 1` or `was ended by SIGKILL` */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `exited with code ${code}`
}
