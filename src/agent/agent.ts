import { ensureInstanceFolder, hubOf, requireConfig } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import { readReaches } from '../config/reaches.ts'
import { readServices } from '../config/services.ts'
import type { InstanceProcess } from '../control/process-record.ts'
import { startControlServer } from '../control/server.ts'
import { runOwner, type OwnerOptions } from '../kept/owner.ts'
import type { Work } from '../kept/work.ts'
import { ServiceHost } from './service-host.ts'

export interface AgentOptions extends OwnerOptions {
  readonly instance: AgentInstance
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub?: string | undefined
}

/**
 * The agent: owns the instance, answers on its socket, keeps its link to the hub, and serves what is exposed,
 * until the signal says stop.
 *
 * @param signal its reason is the name of the signal that said stop
 * @throws ConnectError NOT_CONFIGURED, REVOKED and the like: a human must act; AGENT_RUNNING if
 * another one runs
 */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { instance } = options
  requireConfig(instance)
  ensureInstanceFolder(instance)
  const needs = [instance.configFile]
  await runOwner({ ...options, needs }, signal, (identity) => begin(options, identity))
}

async function begin(options: AgentOptions, identity: InstanceProcess): Promise<Work> {
  const { instance, log } = options
  log('🚀 Starting Private Connect Agent...')
  // Only now: until the lock was ours, a command may have written them.
  const config = requireConfig(instance)
  const hub = hubOf(config, options.hub)
  const exposure = { services: readServices(instance), reaches: readReaches(instance) }
  if (config.insecure)
    log('[!] The hub is reached over plain http: anyone on the way can read the traffic', 'warn')
  const host = new ServiceHost({ ...config, hub }, exposure, identity, options)
  const control = await startControlServer(instance, host)
  return {
    async hold() {
      await control.look()
      host.holdFiles()
    },
    run: (signal) => host.run(signal),
    close: () => control.close(),
  }
}
