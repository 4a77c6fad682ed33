import { homedir } from 'node:os'
import path from 'node:path'
import { hubOf, readConfig, requireConfig, type Config } from '../config/config.ts'
import { instanceFor, type Instance } from '../config/instance.ts'
import type { Platform, PlatformDescription, Daemon } from '../platforms/platform.ts'

/** What every daemon action works on. */
export interface DaemonContext {
  readonly instance: Instance
  readonly platform: Platform
  readonly description: PlatformDescription
  /** The package's folder, where bin/ lies. */
  readonly root: string
  readonly version: string
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub: string | undefined
  readonly interactive: boolean
}

/**
 * What is to be kept alive.
 *
 * @throws ConnectError NOT_CONFIGURED, WRONG_HUB and what is wrong with the config
 */
export function daemonOf({ instance, root, hub }: DaemonContext): Daemon & { readonly config: Config } {
  const config = requireConfig(instance)
  const address = hubOf(config, hub)
  const isDefault = instance.configFile === instanceFor().configFile
  return {
    config: { ...config, hub: address },
    command: [
      process.execPath,
      path.join(root, 'bin', 'run.js'),
      'up',
      '--hub',
      address,
      ...(isDefault ? [] : ['--config', instance.configFile]),
    ],
    env: daemonEnvironment(process.env),
    cwd: homedir(),
    logFile: instance.logFile,
  }
}

/** Whether this instance has a config. @throws ConnectError if it has one that can't be used */
export function isConfigured({ instance, hub }: DaemonContext): boolean {
  const config = readConfig(instance)
  if (config) hubOf(config, hub)
  return config !== undefined
}

function daemonEnvironment(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // A join token is for this command, not for a process that outlives it.
  const { PRIVATECONNECT_TOKEN: _, ...env } = caller
  return { ...env, CONNECT_DAEMON: '1' }
}
