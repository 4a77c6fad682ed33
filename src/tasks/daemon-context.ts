import { homedir } from 'node:os'
import { claimInstanceName } from '../config/claimed-names.ts'
import { hubOf, readConfig, requireConfig, type Config } from '../config/config.ts'
import { instanceFor, type AgentInstance } from '../config/instance.ts'
import { unlessSilent } from '../control/ask-process.ts'
import { agentStatus } from '../control/client.ts'
import type { AgentStatus } from '../control/schema.ts'
import type { Daemon } from '../platforms/platform.ts'
import { executableOf, keptEnvironment, type Kept, type KeptContext } from './steps/kept.ts'
import { rememberProxy } from './remember-proxy.ts'

/** What every daemon action works on. */
export interface DaemonContext extends KeptContext {
  readonly instance: AgentInstance
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub: string | undefined
}

/** How long the agent may take to say how it is, while it starts; in ms. */
const HEAR_MS = 1000

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
    env: keptEnvironment(process.env),
    cwd: homedir(),
    logFile: instance.logFile,
  }
}

/** The agent is up once it is connected. */
export function keptAgent(instance: AgentInstance): Kept<AgentStatus> {
  return {
    prepare() {
      const isNewProxy = rememberProxy(instance)
      claimInstanceName(instance)
      return isNewProxy
    },
    async hear(pid) {
      const status = await unlessSilent(agentStatus(instance, HEAR_MS))
      return status?.agent.pid === pid && status.hub.state === 'connected' ? status : undefined
    },
  }
}

/**
 * Where there is nothing to do without a config: one that can't be used is not none.
 *
 * @throws ConnectError what is wrong with it
 */
export function checkConfig({ instance }: DaemonContext): void {
  readConfig(instance)
}
