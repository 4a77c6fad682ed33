import { wordsOf } from '../config/kind.ts'
import type { HubConnection } from '../control/hub-connection.ts'
import { ConnectError } from '../errors.ts'
import type { Daemon, Installed, InstallPlan, Uninstalled } from '../platforms/platform.ts'
import type { Selection } from '../platforms/selection/select.ts'
import { checkAvailable, checkSupported } from './can-install.ts'
import { checkConfiguration } from './steps/check-configuration.ts'
import { keptAgent, type DaemonContext } from './daemon-context.ts'
import { explainCrash } from './steps/explain-crash.ts'
import { giveUpHubName } from './give-up-hub-name.ts'
import type { Kept, KeptContext } from './steps/kept.ts'
import { withAllLocks } from './locks/all-locks.ts'
import { runSteps } from './steps/run-steps.ts'
import { knownOf } from './start.ts'
import { takeOver } from './steps/take-over.ts'
import { undoOnFailure } from './steps/undo-on-failure.ts'

/** What came of an install of the daemon, or of the hub. */
export interface InstallOutcome {
  readonly change: Installed['change']
  readonly file: string | null
  readonly pid: number
  readonly autostart: Installed['autostart']
  readonly warnings: readonly string[]
}

export interface InstallReport extends InstallOutcome {
  readonly hub: HubConnection | null
}

/**
 * Installs the daemon as a service of the machine, and looks whether it stays up.
 *
 * @param daemon see daemonOf
 * @param onStart told once nothing speaks against it any more
 * @throws ConnectError INSTALL_UNSUPPORTED, DAEMON_FAILED, AGENT_RUNNING for one in the foreground
 */
export async function installDaemon(
  context: DaemonContext,
  daemon: Daemon,
  selection: Selection,
  onStart: () => void,
): Promise<InstallReport> {
  checkSupported(context, selection)
  const named = await withAllLocks(context.instance, () => giveUpHubName(context))
  const kept = keptAgent(named.instance)
  const { said, isStale, ...done } = await installKept(named, kept, { daemon, selection, onStart })
  const { hub } = await knownOf(named, said)
  const warnings = [
    ...done.warnings,
    ...(isStale ? ['The proxy has changed. Run: connect daemon restart'] : []),
  ]
  return { ...done, warnings, hub }
}

export interface InstallKeptOptions {
  readonly daemon: Daemon
  readonly selection: Selection
  /** Told once nothing speaks against it any more. */
  readonly onStart: () => void
}

/**
 * Installs the daemon or the hub, and looks whether it stays up. One that runs with other settings is
 * stopped first.
 *
 * @returns also `isStale`: it was left running, and what it is to be run with is new
 * @throws ConnectError INSTALL_UNSUPPORTED, DAEMON_FAILED, and for one in the foreground AGENT_RUNNING,
 * HUB_RUNNING
 */
export async function installKept<Said>(
  context: KeptContext,
  kept: Kept<Said>,
  { daemon, selection, onStart }: InstallKeptOptions,
): Promise<InstallOutcome & { readonly said: Said | undefined; readonly isStale: boolean }> {
  checkSupported(context, selection, kept.startFlags)
  const { platform, interactive } = context
  return withAllLocks(context.instance, async () => {
    await kept.refuse?.()
    const before = await platform.status()
    const install = explainCrash(context, kept, (options) => platform.install(daemon, options))
    const takingOver = takeOver(context, before, { command: 'install', steps: install.steps })
    if (takingOver.endsAnother) await checkAvailable(context)
    const isRestart = before.state !== 'stopped' && !takingOver.endsAnother && (kept.isChanged?.() ?? false)
    const stop = isRestart ? platform.stop(before) : undefined
    let isNew = false
    const check = checkConfiguration(context, kept, daemon, {
      plan: true,
      onFine(isNewNow) {
        isNew = isNewNow
        if (!interactive) onStart()
      },
    })
    // On a terminal, a line in between would get lost among those that move.
    if (interactive) onStart()
    const steps = [check, ...(stop?.steps ?? []), ...takingOver.steps]
    await runSteps(undoOnFailure(steps, context, kept, { daemon, before }), context)
    const { change, file = null, pid, autostart, warnings, said } = install.result()
    const isStale = isNew && before.state === 'running' && !isRestart && change === 'unchanged'
    return { change, file, pid, autostart, warnings, said, isStale }
  })
}

/** What an install would do, and how it stands now. */
export interface PlannedInstall extends Omit<InstallOutcome, 'change' | 'pid' | 'autostart'> {
  /** Whether it is installed now. */
  readonly installed: boolean
  /** What an install would report; null if a plugin doesn't say. */
  readonly change: Installed['change'] | null
  readonly pid: number | null
  readonly autostart: Installed['autostart']
  readonly plan: Pick<InstallPlan, 'files' | 'commands'>
}

/**
 * Changes nothing.
 *
 * @param startFlags see Kept
 * @throws ConnectError INSTALL_UNSUPPORTED
 */
export async function planInstall(
  context: KeptContext,
  daemon: Daemon,
  selection: Selection,
  startFlags?: string,
): Promise<PlannedInstall> {
  checkSupported(context, selection, startFlags)
  const { platform, description, instance } = context
  if (platform.plan) {
    const { change = null, files, commands, warnings = [] } = await platform.plan(daemon)
    const { installed, pid = null, autostart } = await platform.status({ lookOnly: true })
    const file = files[0]?.file ?? null
    return { installed, change, file, pid, autostart, warnings, plan: { files, commands } }
  }
  throw new ConnectError('INSTALL_UNSUPPORTED', `The platform ${description.name} has no --dry-run`, {
    hints: [`Without it: ${wordsOf(instance).command} install`],
  })
}

/** @returns undefined if there was nothing to remove */
export async function uninstallKept(context: KeptContext): Promise<Uninstalled | undefined> {
  const remove = async () => {
    const { steps, result } = context.platform.uninstall()
    await runSteps(steps, context)
    return result()
  }
  return withAllLocks(context.instance, remove, { writes: false })
}
