import { wordsOf } from '../config/kind.ts'
import type { Answer } from '../control/ask-process.ts'
import {
  endReason,
  type InstanceProcess,
  type ProcessEnd,
  type ProcessRecord,
} from '../control/process-record.ts'
import { ConnectError } from '../errors.ts'
import type { PlatformStatus } from '../platforms/platform.ts'
import { describeDrift } from '../program/drift.ts'
import { executableOf, type KeptContext } from './steps/kept.ts'

/** What is known alike of the daemon and of the hub that is kept. */
export interface KeptStatus {
  readonly status: PlatformStatus['state']
  /** Why the status is what it is, where that needs saying. */
  readonly reason: string | null
  readonly pid: number | null
  readonly installed: boolean
  /** The operating system. */
  readonly platform: string
  /** What keeps it alive. */
  readonly manager: { readonly name: string; readonly summary: string }
  /** When it starts by itself. */
  readonly autostart: PlatformStatus['autostart']
  /** RFC 3339 */
  readonly startedAt: string | null
  /** How often the manager has started it again; null where that isn't counted. */
  readonly restarts: number | null
  /** How the last one ended: this one, or the one before it if this one runs. */
  readonly lastExit: ProcessEnd | null
  /** It runs, but its socket doesn't answer, or not in words that this version knows. */
  readonly unresponsive: boolean
  /** Why it is unresponsive. */
  readonly silence: string | null
  /** The version that runs. */
  readonly version: string | null
  /** The version of this command. */
  readonly installedVersion: string
  /** How what runs differs from what a restart would start; a sentence each. */
  readonly drift: readonly string[]
  readonly cleanedUpStalePid: boolean
  /** One that runs in someone's terminal. */
  readonly foregroundPid: number | null
  /** What else the platform has to say, a sentence each. */
  readonly notes: readonly string[]
}

/** What is known of a process that is kept, or is not. */
export interface Found {
  /** What its platform says. */
  readonly found: PlatformStatus
  /** What it says itself; undefined if it was not asked. */
  readonly said: Answer<{ readonly agent: InstanceProcess }> | undefined
  readonly record: ProcessRecord | undefined
}

/** @throws ConnectError from `executableOf` */
export function keptStatus(context: KeptContext, { found, said, record }: Found): KeptStatus {
  const { name, summary } = context.description
  const isRunning = found.state === 'running'
  return {
    status: found.state,
    reason: found.reason ?? null,
    pid: found.pid ?? null,
    installed: found.installed,
    platform: process.platform,
    manager: { name, summary },
    autostart: found.autostart,
    startedAt: found.startedAt ?? null,
    restarts: found.restarts ?? null,
    lastExit: withSeen(isRunning ? record?.previousEnd : record?.end, found) ?? null,
    unresponsive: said?.silence !== undefined,
    silence: said?.silence ?? null,
    version: said?.version ?? null,
    installedVersion: context.version,
    drift: isRunning ? driftOf(context, said?.status?.agent ?? record) : [],
    cleanedUpStalePid: found.cleanedUp ?? false,
    foregroundPid: found.foregroundPid ?? null,
    notes: found.notes ?? [],
  }
}

/** How a process ended may be known to its manager, though nobody has written it down. */
export function withSeen(end: ProcessEnd | undefined, { lastExit }: PlatformStatus): ProcessEnd | undefined {
  if (!end || !lastExit || end.code !== null || end.signal !== null || end.at !== null) return end
  return { ...end, ...lastExit, reason: endReason(lastExit) }
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
