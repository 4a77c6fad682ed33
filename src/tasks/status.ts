import { readConfig } from '../config/config.ts'
import { readServices, type ExposedService } from '../config/services.ts'
import { agentStatus } from '../control/client.ts'
import type { AgentStatus } from '../control/schema.ts'
import { ConnectError } from '../errors.ts'
import type { PlatformStatus } from '../platforms/platform.ts'
import { isConfigured, type DaemonContext } from './daemon-context.ts'

/** All that is known of the daemon; also the shape of `daemon status --json`. */
export interface DaemonStatus {
  readonly status: PlatformStatus['state']
  readonly configured: boolean
  readonly pid: number | null
  readonly installed: boolean
  /** The operating system. */
  readonly platform: string
  /** What keeps it alive. */
  readonly manager: { readonly name: string; readonly summary: string }
  readonly agentId: string | null
  readonly label: string | null
  readonly hub: string | null
  /** RFC 3339 */
  readonly startedAt: string | null
  /** How it stands with the hub; null if the daemon doesn't run, or doesn't say. */
  readonly connection: AgentStatus['hub'] | null
  /** The daemon runs, but its socket doesn't answer. */
  readonly unresponsive: boolean
  readonly services: readonly ExposedService[]
  readonly streams: number | null
  /** The running agent's version. */
  readonly version: string | null
  readonly cleanedUpStalePid: boolean
  readonly foregroundPid: number | null
}

/** @throws ConnectError if there is a config that can't be used */
export async function daemonStatus(context: DaemonContext): Promise<DaemonStatus> {
  const { instance, platform, description } = context
  const configured = isConfigured(context)
  const config = readConfig(instance)
  const found = await platform.status()
  const answer = found.state === 'running' ? await ask(context) : undefined
  return {
    status: found.state,
    configured,
    pid: found.pid ?? null,
    installed: found.installed,
    platform: process.platform,
    manager: { name: description.name, summary: description.summary },
    agentId: config?.agentId ?? null,
    label: config?.label ?? null,
    hub: config?.hub ?? null,
    startedAt: found.startedAt ?? null,
    connection: answer?.hub ?? null,
    unresponsive: found.state === 'running' && answer === undefined,
    services: answer?.services ?? readServices(instance),
    streams: answer?.streams ?? null,
    version: answer?.version ?? null,
    cleanedUpStalePid: found.cleanedUp ?? false,
    foregroundPid: found.foregroundPid ?? null,
  }
}

/** @returns undefined if the agent doesn't answer, which is what there is to say then */
async function ask({ instance }: DaemonContext): Promise<AgentStatus | undefined> {
  try {
    return await agentStatus(instance)
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}
