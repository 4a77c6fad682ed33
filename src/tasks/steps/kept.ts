import { homedir } from 'node:os'
import path from 'node:path'
import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import type { Platform, PlatformDescription } from '../../platforms/platform.ts'
import { resolveExecutable, type Executable } from '../../program/executable.ts'
import type { RunOptions } from './run-steps.ts'

/** What every action on the daemon, or on the hub, works on. */
export interface KeptContext extends RunOptions {
  readonly instance: Instance
  readonly platform: Platform
  readonly description: PlatformDescription
  /** The package's folder, where bin/ lies. */
  readonly root: string
  readonly version: string
}

/** What a start of the daemon does otherwise than one of the hub. */
export interface Kept<Said> {
  /** What `prepare` saves is not of this instance alone: other commands on it are kept out, too. */
  readonly isShared?: boolean
  /** What is typed behind `start` to have it run as this command says, with a space before it. */
  readonly startFlags?: string
  /** Looks for what forbids a start, before anything else. @throws ConnectError */
  readonly refuse?: () => Promise<void>
  /** Whether what it is to be run with is other than what one that runs was started with. */
  readonly isChanged?: () => boolean
  /**
   * Saves what it is to be run with, once nothing speaks against the start any more.
   *
   * @returns whether that is new
   */
  readonly prepare: () => boolean | Promise<boolean>
  /** Puts back what `prepare` has saved, for a start that failed. @returns whether there was anything */
  readonly undo?: () => boolean
  /** What the process of that number says of itself; undefined while it is not up. */
  readonly hear: (pid: number) => Promise<Said | undefined>
}

/** What it would be run with now. @throws ConnectError RUN_FROM_CACHE */
export function executableOf({ instance, root }: KeptContext): Executable {
  return resolveExecutable({
    execPath: process.execPath,
    invokedAs: process.argv[1],
    script: path.join(root, 'bin', 'run.js'),
    home: homedir(),
    env: process.env,
    command: `${wordsOf(instance).command} start`,
  })
}

/** The caller's environment, less its secrets, for a process that is kept. */
export function keptEnvironment(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // A join token is for this command, not for a process that outlives it.
  const { PRIVATECONNECT_TOKEN: _, ...env } = caller
  return { ...env, CONNECT_DAEMON: '1' }
}
