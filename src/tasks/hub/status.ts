import { absentData, isDataAbsent, waitsForData } from '../../config/hub/absent-data.ts'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { findProcess, folderAwaited } from '../../control/find-process.ts'
import { readProcessRecord, type ProcessEnd } from '../../control/process-record.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import type { PlatformStatus } from '../../platforms/platform.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { driftOf, withSeen } from '../status.ts'
import { askHub } from './ask-hub.ts'
import type { HubContext } from './hub-context.ts'

/** All that is known of the hub; also the shape of `hub status --json`. */
export interface HubServiceStatus {
  readonly status: PlatformStatus['state']
  /** Why the status is what it is, where that needs saying. */
  readonly reason: string | null
  readonly pid: number | null
  readonly installed: boolean
  /** The operating system. */
  readonly platform: string
  readonly hubId: string | null
  /** HOST:PORT where it listens; null if it doesn't run, or doesn't say. */
  readonly listen: string | null
  /** The address that others are told. */
  readonly url: string | null
  /** Of the certificate that it speaks HTTPS with; null on plain http, or if it doesn't say. */
  readonly certificate: HubStatus['certificate']
  /** Where its data lies. */
  readonly folder: string
  /** That folder while the hub waits for it, most likely for a disk that is not mounted; null otherwise. */
  readonly waitsFor: string | null
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
  /** Machines that have joined, and those of them whose agent is connected; null if it doesn't say. */
  readonly machines: { readonly joined: number; readonly online: number } | null
  /** Those of agents and of reaches. */
  readonly links: number | null
  readonly streams: number | null
  /** Changes that are in effect and can't be saved; null if all is saved, or it doesn't say. */
  readonly unsaved: HubStatus['unsaved']
  /** The running hub's version. */
  readonly version: string | null
  /** The version of this command. */
  readonly installedVersion: string
  /** How the running program differs from the one that a restart would start; a sentence each. */
  readonly drift: readonly string[]
  readonly cleanedUpStalePid: boolean
  /** One that runs in someone's terminal. */
  readonly foregroundPid: number | null
  /** What else the platform has to say, a sentence each. */
  readonly notes: readonly string[]
}

/** @throws ConnectError if there are settings that can't be used */
export async function hubServiceStatus(context: HubContext): Promise<HubServiceStatus> {
  const { instance, platform, description } = context
  const settings = readHubSettings()
  const found = await platform.status()
  const isRunning = found.state === 'running'
  const { foregroundPid } = found
  const said = isRunning || foregroundPid !== undefined ? await askHub(instance) : undefined
  const answer = said?.status
  const isAbsent = !answer && isDataAbsent(settings)
  const waitsFor = isAbsent ? folderAwaited(await findProcess(instance)) : null
  const record = readProcessRecord(isAbsent ? (instance.waiting ?? instance) : instance)
  return {
    // Whoever asks with --check wants a hub, and not a process that waits for its disk.
    status: isRunning && isAbsent ? 'starting' : found.state,
    reason: found.reason ?? (isAbsent ? whyAbsent(instance, waitsFor) : null),
    pid: found.pid ?? null,
    installed: found.installed,
    platform: process.platform,
    hubId: answer?.hubId ?? null,
    listen: answer?.listen ?? null,
    url: answer?.url ?? settings?.url ?? null,
    certificate: answer?.certificate ?? null,
    folder: instance.dataFolder,
    waitsFor,
    manager: { name: description.name, summary: description.summary },
    autostart: found.autostart,
    startedAt: found.startedAt ?? null,
    restarts: found.restarts ?? null,
    lastExit: withSeen(isRunning ? record?.previousEnd : record?.end, found) ?? null,
    unresponsive: said?.silence !== undefined,
    silence: said?.silence === undefined ? null : waitsFor === null ? said.silence : 'it waits for its data',
    machines: answer ? { joined: answer.joined, online: answer.online } : null,
    links: answer?.links ?? null,
    streams: answer?.streams ?? null,
    unsaved: answer?.unsaved ?? null,
    version: said?.version ?? null,
    installedVersion: context.version,
    drift: isRunning ? driftOf(context, answer?.agent ?? record) : [],
    cleanedUpStalePid: found.cleanedUp ?? false,
    foregroundPid: foregroundPid ?? null,
    notes: found.notes ?? [],
  }
}

/** Why a hub whose data is not there does not answer. */
function whyAbsent({ dataFolder }: HubInstance, waitsFor: string | null): string {
  return waitsFor === null ? absentData(dataFolder).message : waitsForData(waitsFor)
}

/**
 * Looks until the hub answers.
 *
 * @returns how it is then, whether it answers or not
 */
export async function waitForHub(context: HubContext, timeoutMs: number): Promise<HubServiceStatus> {
  const isUp = async () => {
    const status = await hubServiceStatus(context)
    return isAnswering(status) ? status : undefined
  }
  return (await waitFor(isUp, { timeoutMs, everyMs: 100 })) ?? hubServiceStatus(context)
}

export function isAnswering({ status, silence }: HubServiceStatus): boolean {
  return status === 'running' && silence === null
}
