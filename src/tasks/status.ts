import { hubOf, readConfig, type Config } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { shownProxy } from '../config/proxy/proxy.ts'
import { listService, readServices, type ListedService } from '../config/services.ts'
import {
  endReason,
  readProcessRecord,
  type ProcessEnd,
  type InstanceProcess,
} from '../control/process-record.ts'
import { askAgent, type AgentAnswer } from '../control/ask-agent.ts'
import { hubConnectionOf, type HubConnection } from '../control/hub-connection.ts'
import { loginDrift, type SavedLogin } from '../control/login-drift.ts'
import { ConnectError } from '../errors.ts'
import type { PlatformStatus } from '../platforms/platform.ts'
import { describeDrift } from '../program/drift.ts'
import { waitFor } from '../runtime/wait-for.ts'
import type { DaemonContext } from './daemon-context.ts'
import { executableOf, type KeptContext } from './steps/kept.ts'
import { shownReaches, type ShownReach } from './reaches/shown-reach.ts'

/** All that is known of the daemon; also the shape of `daemon status --json`. */
export interface DaemonStatus {
  readonly status: PlatformStatus['state']
  /** Why the status is what it is, where that needs saying. */
  readonly reason: string | null
  readonly configured: boolean
  readonly pid: number | null
  readonly installed: boolean
  /** The operating system. */
  readonly platform: string
  readonly agentId: string | null
  readonly label: string | null
  readonly hub: string | null
  /** The saved proxy on the way to the hub, without its password. */
  readonly proxy: string | null
  /** A file with authorities to trust besides the known ones. */
  readonly ca: string | null
  /** What keeps the daemon alive. */
  readonly manager: { readonly name: string; readonly summary: string }
  /** When the daemon starts by itself. */
  readonly autostart: PlatformStatus['autostart']
  /** RFC 3339 */
  readonly startedAt: string | null
  /** How often the manager has started the daemon again; null where that isn't counted. */
  readonly restarts: number | null
  /** How the last agent ended: this one, or the one before it if this one runs. */
  readonly lastExit: ProcessEnd | null
  /** How the daemon stands with the hub; null if it doesn't run, or doesn't say. */
  readonly connection: HubConnection | null
  /** The daemon runs, but its socket doesn't answer, or not in words that this version knows. */
  readonly unresponsive: boolean
  /** Why the daemon is unresponsive. */
  readonly silence: string | null
  readonly services: readonly ListedService[]
  /** What is kept, and how it stands. */
  readonly reaches: readonly ShownReach[]
  readonly streams: number | null
  /** The running agent's version. */
  readonly version: string | null
  /** The version of this command. */
  readonly installedVersion: string
  /** How what runs differs from what a restart would start, in program and login; a sentence each. */
  readonly drift: readonly string[]
  readonly cleanedUpStalePid: boolean
  readonly foregroundPid: number | null
  /**
   * What an agent says of itself that runs in someone's terminal, beside or instead of the daemon; null
   * if none does.
   */
  readonly foreground: ForegroundAgent | null
  /** What else the platform has to say, a sentence each. */
  readonly notes: readonly string[]
}

/** As the fields of the same names tell of the daemon. */
export type ForegroundAgent = { readonly pid: number } & Pick<
  DaemonStatus,
  'connection' | 'silence' | 'services' | 'reaches' | 'streams' | 'version' | 'drift'
>

/** @throws ConnectError if there is a config that can't be used */
export async function daemonStatus(context: DaemonContext): Promise<DaemonStatus> {
  const { instance, platform, description } = context
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
          drift: agentDrift(context, heard, record, login),
        }
  const said = isRunning ? (foreground ? waitingFor(foreground.pid) : heard) : undefined
  return {
    status: found.state,
    reason: found.reason ?? null,
    configured: config !== undefined,
    pid: found.pid ?? null,
    installed: found.installed,
    platform: process.platform,
    agentId: config?.agentId ?? null,
    label: config?.label ?? null,
    hub: config?.hub ?? null,
    proxy: savedProxy(config),
    ca: config?.ca ?? null,
    manager: { name: description.name, summary: description.summary },
    autostart: found.autostart,
    startedAt: found.startedAt ?? null,
    restarts: found.restarts ?? null,
    lastExit: withSeen(isRunning ? record?.previousEnd : record?.end, found) ?? null,
    unresponsive: said?.silence !== undefined,
    ...tellingOf(said, instance),
    installedVersion: context.version,
    drift: isRunning ? agentDrift(context, said, record, login) : [],
    cleanedUpStalePid: found.cleanedUp ?? false,
    foregroundPid: foregroundPid ?? null,
    foreground,
    notes: found.notes ?? [],
  }
}

/** How an agent ended may be known to its manager, though nobody has written it down. */
export function withSeen(end: ProcessEnd | undefined, { lastExit }: PlatformStatus): ProcessEnd | undefined {
  if (!end || !lastExit || end.code !== null || end.signal !== null || end.at !== null) return end
  return { ...end, ...lastExit, reason: endReason(lastExit) }
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

/** All that an agent differs in from one that would be started now. */
function agentDrift(
  context: DaemonContext,
  said: AgentAnswer | undefined,
  record: InstanceProcess | undefined,
  saved: SavedLogin | undefined,
): string[] {
  const answer = said?.status
  return [...driftOf(context, answer?.agent ?? record), ...(answer && saved ? loginDrift(answer, saved) : [])]
}

/** How the running program differs, by the record of an agent that doesn't answer: an upgrade may be why. */
export function driftOf(context: KeptContext, agent: InstanceProcess | undefined): string[] {
  if (!agent?.version) return []
  const { kept, process } = wordsOf(context.instance)
  const isForeground = agent.mode === 'foreground'
  try {
    return describeDrift(
      agent,
      { ...executableOf(context), version: context.version },
      isForeground ? process : kept,
    )
  } catch (error) {
    // `npx … daemon status` may look at a daemon, though it may not start one.
    if (error instanceof ConnectError && error.code === 'RUN_FROM_CACHE') return []
    throw error
  }
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
