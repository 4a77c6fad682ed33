import { hubOf, readConfig, type Config } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import { shownProxy } from '../config/proxy/proxy.ts'
import { listService, readServices, type ListedService } from '../config/services.ts'
import { readProcessRecord } from '../control/process-record.ts'
import { askAgent, type AgentAnswer } from '../control/ask-agent.ts'
import { hubConnectionOf, type HubConnection } from '../control/hub-connection.ts'
import { loginDrift, type SavedLogin } from '../control/login-drift.ts'
import { waitFor } from '../runtime/wait-for.ts'
import type { DaemonContext } from './daemon-context.ts'
import { driftOf, keptStatus, type KeptStatus } from './kept-status.ts'
import { shownReaches, type ShownReach } from './reaches/shown-reach.ts'

/** All that is known of the daemon; also the shape of `daemon status --json`. */
export interface DaemonStatus extends KeptStatus {
  readonly configured: boolean
  readonly agentId: string | null
  readonly label: string | null
  readonly hub: string | null
  /** The saved proxy on the way to the hub, without its password. */
  readonly proxy: string | null
  /** A file with authorities to trust besides the known ones. */
  readonly ca: string | null
  /** How the daemon stands with the hub; null if it doesn't run, or doesn't say. */
  readonly connection: HubConnection | null
  readonly services: readonly ListedService[]
  /** What is kept, and how it stands. */
  readonly reaches: readonly ShownReach[]
  readonly streams: number | null
  /**
   * What an agent says of itself that runs in someone's terminal, beside or instead of the daemon; null
   * if none does.
   */
  readonly foreground: ForegroundAgent | null
}

/** As the fields of the same names tell of the daemon. */
export type ForegroundAgent = { readonly pid: number } & Pick<
  DaemonStatus,
  'connection' | 'silence' | 'services' | 'reaches' | 'streams' | 'version' | 'drift'
>

/** @throws ConnectError if there is a config that can't be used */
export async function daemonStatus(context: DaemonContext): Promise<DaemonStatus> {
  const { instance, platform } = context
  const config = readConfig(instance)
  const login = config && { agentId: config.agentId, hub: hubOf(config, context.hub) }
  const found = await platform.status()
  const isRunning = found.state === 'running'
  const { foregroundPid } = found
  const heard = isRunning || foregroundPid !== undefined ? await askAgent(instance) : undefined
  const record = readProcessRecord(instance)
  // The lock lets one agent work, and the socket is that agent's.
  const foreground =
    foregroundPid === undefined
      ? null
      : {
          pid: foregroundPid,
          ...tellingOf(heard, instance),
          drift: [...driftOf(context, heard?.status?.agent ?? record), ...loginDriftOf(heard, login)],
        }
  const said = isRunning ? (foreground ? waitingFor(foreground.pid) : heard) : undefined
  const kept = keptStatus(context, { found, said, record })
  return {
    ...kept,
    configured: config !== undefined,
    agentId: config?.agentId ?? null,
    label: config?.label ?? null,
    hub: config?.hub ?? null,
    proxy: savedProxy(config),
    ca: config?.ca ?? null,
    ...tellingOf(said, instance),
    drift: [...kept.drift, ...loginDriftOf(said, login)],
    foreground,
  }
}

/** What an agent has said of itself, or why it has not. */
function tellingOf(
  said: AgentAnswer | undefined,
  instance: AgentInstance,
): Omit<ForegroundAgent, 'pid' | 'drift'> {
  const answer = said?.status
  return {
    connection: answer ? hubConnectionOf(answer) : null,
    silence: said?.silence ?? null,
    services: (answer?.services ?? readServices(instance)).map(listService),
    reaches: shownReaches(instance, said),
    streams: answer?.streams ?? null,
    version: said?.version ?? null,
  }
}

function waitingFor(pid: number): AgentAnswer {
  return { silence: `it waits for the agent in the foreground (PID: ${pid}) to end`, version: null }
}

/** Nothing of a damaged address: where that is used, an error tells it. */
function savedProxy(config: Config | undefined): string | null {
  return config?.proxy !== undefined && URL.canParse(config.proxy) ? shownProxy(new URL(config.proxy)) : null
}

/** An agent that doesn't answer tells of no login. */
function loginDriftOf(said: AgentAnswer | undefined, saved: SavedLogin | undefined): string[] {
  return said?.status && saved ? loginDrift(said.status, saved) : []
}

/**
 * Looks until the daemon is connected to its hub.
 *
 * @returns how it stands then, connected or not
 */
export async function waitForConnected(context: DaemonContext, timeoutMs: number): Promise<DaemonStatus> {
  const isConnected = async () => {
    const status = await daemonStatus(context)
    return status.connection?.state === 'connected' ? status : undefined
  }
  return (await waitFor(isConnected, { timeoutMs, everyMs: 100 })) ?? daemonStatus(context)
}
