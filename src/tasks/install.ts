import { homedir } from 'node:os'
import type { HubConnection } from '../control/hub-connection.ts'
import { ConnectError } from '../errors.ts'
import type { Daemon, Installed, InstallPlan, Uninstalled } from '../platforms/platform.ts'
import type { Selection } from '../platforms/selection/select.ts'
import { checkConfiguration } from './check-configuration.ts'
import type { DaemonContext } from './daemon-context.ts'
import { explainCrash } from './explain-crash.ts'
import { withCommandLock } from './locks/command-lock.ts'
import { withHomeLock } from './locks/home-lock.ts'
import { runSteps } from './run-steps.ts'
import { knownOf, sayOf } from './start.ts'
import { takeOver } from './take-over.ts'

export interface InstallReport {
  readonly change: Installed['change']
  readonly file: string | null
  readonly pid: number
  readonly autostart: Installed['autostart']
  readonly warnings: readonly string[]
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
  checkSupported(selection)
  const { platform, interactive } = context
  return withLocks(context, {}, async () => {
    const before = await platform.status()
    const install = explainCrash(context, (options) => platform.install(daemon, options))
    const { steps } = takeOver(context, before, { command: 'install', steps: install.steps })
    let hasNewProxy = false
    const check = checkConfiguration(context, daemon, {
      plan: true,
      onFine(isNewProxy) {
        hasNewProxy = isNewProxy
        if (!interactive) onStart()
      },
    })
    // On a terminal, a line in between would get lost among those that move.
    if (interactive) onStart()
    await runSteps([check, ...steps], context)
    const done = install.result()
    const { change, file = null, pid, autostart } = done
    const { hub } = await knownOf(context, done)
    const wasLeftAlone = before.state === 'running' && change === 'unchanged'
    const warnings = [
      ...done.warnings,
      ...(hasNewProxy && wasLeftAlone ? ['The proxy has changed. Run: connect daemon restart'] : []),
    ]
    return { change, file, pid, autostart, warnings, hub }
  })
}

/** What installDaemon would do, and how it stands now. */
export interface PlannedInstall extends Omit<InstallReport, 'change' | 'pid' | 'autostart' | 'warnings'> {
  /** Whether the daemon is installed now. */
  readonly installed: boolean
  /** What an install would report; null if a plugin doesn't say. */
  readonly change: Installed['change'] | null
  readonly pid: number | null
  readonly autostart: Installed['autostart']
  readonly plan: Pick<InstallPlan, 'files' | 'commands'>
}

/** Changes nothing. @throws ConnectError INSTALL_UNSUPPORTED */
export async function planInstall(
  context: DaemonContext,
  daemon: Daemon,
  selection: Selection,
): Promise<PlannedInstall> {
  checkSupported(selection)
  const { platform, description } = context
  if (platform.plan) {
    const { change = null, files, commands } = await platform.plan(daemon)
    const { installed, pid = null, autostart } = await platform.status()
    const { hub } = pid === null ? { hub: null } : await sayOf(context)
    return { installed, change, file: files[0]?.file ?? null, pid, autostart, hub, plan: { files, commands } }
  }
  throw new ConnectError('INSTALL_UNSUPPORTED', `The platform ${description.name} has no --dry-run`, {
    hints: ['Without it: connect daemon install'],
  })
}

/** @returns undefined if there was nothing to remove */
export async function uninstallDaemon(context: DaemonContext): Promise<Uninstalled | undefined> {
  return withLocks(context, { writes: false }, async () => {
    const { steps, result } = context.platform.uninstall()
    await runSteps(steps, context)
    return result()
  })
}

/**
 * Keeps out other commands, also those on other instances: what install makes and uninstall removes belongs
 * in part to all instances of a user.
 */
function withLocks<T>(
  { instance }: DaemonContext,
  options: { writes?: boolean },
  action: () => Promise<T>,
): Promise<T> {
  return withCommandLock(instance, () => withHomeLock(homedir(), action, options), options)
}

function checkSupported({ description, reasons }: Selection): void {
  if (description.name !== 'background') return
  const none = `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
  throw new ConnectError('INSTALL_UNSUPPORTED', none, {
    hints: [...reasons, 'Run it as a background process instead: connect daemon start'],
  })
}
