import { absentData, isDataAbsent, waitsForData } from '../../config/hub/absent-data.ts'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { findProcess, folderAwaited } from '../../control/find-process.ts'
import { readProcessRecord } from '../../control/process-record.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { keptStatus, type KeptStatus } from '../kept-status.ts'
import { askHub } from './ask-hub.ts'
import type { HubContext } from './hub-context.ts'

/** All that is known of the hub; also the shape of `hub status --json`. */
export interface HubServiceStatus extends KeptStatus {
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
  /** Machines that have joined, and those of them whose agent is connected; null if it doesn't say. */
  readonly machines: { readonly joined: number; readonly online: number } | null
  /** Those of agents and of reaches. */
  readonly links: number | null
  readonly streams: number | null
  /** Changes that are in effect and can't be saved; null if all is saved, or it doesn't say. */
  readonly unsaved: HubStatus['unsaved']
}

/** @throws ConnectError if there are settings that can't be used */
export async function hubServiceStatus(context: HubContext): Promise<HubServiceStatus> {
  const { instance, platform } = context
  const settings = readHubSettings()
  const found = await platform.status()
  const isRunning = found.state === 'running'
  const said = isRunning || found.foregroundPid !== undefined ? await askHub(instance) : undefined
  const answer = said?.status
  const isAbsent = !answer && isDataAbsent(settings)
  const waitsFor = isAbsent ? folderAwaited(await findProcess(instance)) : null
  const record = readProcessRecord(isAbsent ? (instance.waiting ?? instance) : instance)
  const kept = keptStatus(context, { found, said, record })
  return {
    ...kept,
    // Whoever asks with --check wants a hub, and not a process that waits for its disk.
    status: isRunning && isAbsent ? 'starting' : kept.status,
    reason: kept.reason ?? (isAbsent ? whyAbsent(instance, waitsFor) : null),
    hubId: answer?.hubId ?? null,
    listen: answer?.listen ?? null,
    url: answer?.url ?? settings?.url ?? null,
    certificate: answer?.certificate ?? null,
    folder: instance.dataFolder,
    waitsFor,
    silence: kept.silence !== null && waitsFor !== null ? 'it waits for its data' : kept.silence,
    machines: answer ? { joined: answer.joined, online: answer.online } : null,
    links: answer?.links ?? null,
    streams: answer?.streams ?? null,
    unsaved: answer?.unsaved ?? null,
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
