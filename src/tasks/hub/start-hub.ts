import { waitsForData } from '../../config/hub/absent-data.ts'
import { findProcess, folderAwaited } from '../../control/find-process.ts'
import { askHub } from './ask-hub.ts'
import { hubSettingsFile, hubSettingsText } from '../../config/hub/hub-settings.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import { certificateTroubles } from '../../hub/control/certificate-troubles.ts'
import {
  installKept,
  planInstall,
  type InstallKeptOptions,
  type InstallOutcome,
  type PlannedInstall,
} from '../install.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import { startKept, type StartKeptOptions, type StartOutcome } from '../start.ts'
import { hubDaemonOf, keptHub, settingsWith, type GivenSettings, type HubContext } from './hub-context.ts'
import { startFlags } from './start-flags.ts'

/** What a hub that was started says of itself. */
export interface HubTold {
  /** HOST:PORT where it listens; null if it didn't say. */
  readonly listen: string | null
  /** The address that others are told; null if it didn't say. */
  readonly url: string | null
  /** Null if it didn't say. */
  readonly version: string | null
  /** What it waits for; what is wrong with its certificate, and what to do about it, a sentence each. */
  readonly warnings: readonly string[]
}

export type HubStartReport = StartOutcome & HubTold

export type HubInstallReport = InstallOutcome & HubTold

/**
 * Starts the hub, and looks whether it stays up. One that runs is left alone, unless its settings change.
 *
 * @throws ConnectError DAEMON_FAILED, HUB_ELSEWHERE, HUB_RUNNING for one in the foreground or on other data
 */
export async function startHubService(
  context: HubContext,
  settings: GivenSettings,
  options: StartKeptOptions,
): Promise<HubStartReport> {
  const kept = keptHub(context.instance, settings)
  const { said, ...done } = await startKept(context, kept, hubDaemonOf(context), options)
  return { ...done, ...(await toldBy(context, said)) }
}

/**
 * Installs the hub as a service of the machine, and looks whether it stays up.
 *
 * @throws ConnectError INSTALL_UNSUPPORTED, DAEMON_FAILED, HUB_RUNNING for one in the foreground or on other
 * data
 */
export async function installHubService(
  context: HubContext,
  settings: GivenSettings,
  options: Omit<InstallKeptOptions, 'daemon'>,
): Promise<HubInstallReport> {
  const kept = keptHub(context.instance, settings)
  const daemon = hubDaemonOf(context)
  const { said, isStale: _, ...done } = await installKept(context, kept, { ...options, daemon })
  const told = await toldBy(context, said)
  return { ...done, ...told, warnings: [...done.warnings, ...told.warnings] }
}

/**
 * What installHubService would do, and how it stands now. Changes nothing.
 *
 * @throws ConnectError INSTALL_UNSUPPORTED
 */
export async function planHubInstall(
  context: HubContext,
  settings: GivenSettings,
  selection: Selection,
): Promise<PlannedInstall & Omit<HubTold, 'warnings'>> {
  const flags = startFlags(settings)
  const { plan, change, ...known } = await planInstall(context, hubDaemonOf(context), selection, flags)
  const wanted = settingsWith(settings)
  const isNew = keptHub(context.instance, settings).isChanged?.() ?? false
  const file = { file: hubSettingsFile(), content: hubSettingsText(wanted) }
  const told = known.pid === null ? { listen: null, url: null, version: null } : await toldBy(context)
  return {
    ...told,
    ...known,
    change: isNew && change === 'unchanged' ? 'updated' : change,
    plan: { ...plan, files: isNew ? [file, ...plan.files] : plan.files },
  }
}

/** What it has said while it was started, or says now. */
export async function toldBy({ instance }: HubContext, said?: HubStatus): Promise<HubTold> {
  const { status = said, version } = said ? { version: said.agent.version } : await askHub(instance)
  const troubles = status?.certificate ? certificateTroubles(status.certificate) : []
  const waitsFor = status ? null : folderAwaited(await findProcess(instance))
  const warnings = [
    ...(waitsFor === null ? [] : [`${waitsForData(waitsFor)}. It begins once that is mounted`]),
    ...troubles.map(({ what, fix }) => `${what}. ${fix}`),
  ]
  return { listen: status?.listen ?? null, url: status?.url ?? null, version, warnings }
}
