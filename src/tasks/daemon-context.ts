import { homedir } from 'node:os'
import path from 'node:path'
import { hubOf, readConfig, requireConfig, type Config } from '../config/config.ts'
import { instanceFor, type AgentInstance } from '../config/instance.ts'
import type { Platform, PlatformDescription, Daemon } from '../platforms/platform.ts'
import { resolveExecutable, type Executable } from '../program/executable.ts'
import type { RunOptions } from './run-steps.ts'

/** What every daemon action works on. */
export interface DaemonContext extends RunOptions {
  readonly instance: AgentInstance
  readonly platform: Platform
  readonly description: PlatformDescription
  /** The package's folder, where bin/ lies. */
  readonly root: string
  readonly version: string
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub: string | undefined
}

/**
 * What is to be kept alive.
 *
 * @throws ConnectError NOT_CONFIGURED, RUN_FROM_CACHE, WRONG_HUB and what is wrong with the config
 */
export function daemonOf(context: DaemonContext): Daemon & { readonly config: Config } {
  const { instance, hub } = context
  const config = requireConfig(instance)
  const address = hubOf(config, hub)
  const { node, script } = executableOf(context)
  const isDefault = instance.configFile === instanceFor().configFile
  return {
    config: { ...config, hub: address },
    command: [node, script, 'up', '--hub', address, ...(isDefault ? [] : ['--config', instance.configFile])],
    env: daemonEnvironment(process.env),
    cwd: homedir(),
    logFile: instance.logFile,
  }
}

/** What the daemon would be run with now. @throws ConnectError RUN_FROM_CACHE */
export function executableOf({ root }: DaemonContext): Executable {
  return resolveExecutable({
    execPath: process.execPath,
    invokedAs: process.argv[1],
    script: path.join(root, 'bin', 'run.js'),
    home: homedir(),
    env: process.env,
  })
}

/**
 * Where there is nothing to do without a config: one that can't be used is not none.
 *
 * @throws ConnectError what is wrong with it
 */
export function checkConfig({ instance }: DaemonContext): void {
  readConfig(instance)
}

function daemonEnvironment(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // A join token is for this command, not for a process that outlives it.
  const { PRIVATECONNECT_TOKEN: _, ...env } = caller
  return { ...env, CONNECT_DAEMON: '1' }
}
