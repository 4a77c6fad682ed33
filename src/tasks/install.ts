import { claimInstanceName } from '../config/instance.ts'
import { findAgent } from '../control/find-agent.ts'
import { stopAgent } from '../control/stop-agent.ts'
import { ConnectError } from '../errors.ts'
import type { Daemon, Installed, InstallPlan, Uninstalled } from '../platforms/platform.ts'
import type { Selection } from '../platforms/select.ts'
import { withCommandLock } from './command-lock.ts'
import type { DaemonContext } from './daemon-context.ts'
import type { HubState } from './hub-state.ts'
import { rememberProxy } from './remember-proxy.ts'
import { runSteps, type Step } from './run-steps.ts'
import { explainFailure, knownOf, sayOf, type Explained } from './start.ts'

export interface InstallReport {
  readonly change: Installed['change']
  readonly file: string | null
  readonly pid: number
  readonly startsAt: Installed['startsAt']
  readonly warnings: readonly string[]
  readonly hub: HubState | null
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
  const { instance, platform } = context
  return withCommandLock(instance, async () => {
    let done: Explained<Installed> | undefined
    const steps: Step[] = [
      {
        title: 'Install the daemon',
        async run(retitle) {
          done = await explainFailure(context, (options) => platform.install(daemon, options))
          retitle(`The daemon is installed and runs (PID: ${done.pid})`)
        },
      },
    ]
    // What can't be installed is refused before anything is stopped.
    await platform.plan?.(daemon)
    // One that was started in the background would hold the agent's lock for ever.
    const before = await platform.status()
    const former = await findAgent(instance)
    if (former.state === 'running' && former.agent.mode === 'foreground') {
      throw new ConnectError('AGENT_RUNNING', `An agent runs in the foreground (PID: ${former.agent.pid})`, {
        hints: ['End it with Ctrl-C where it runs, then run: connect daemon install'],
      })
    }
    let hasStopped = false
    if (former.state === 'running' && !before.installed) {
      steps.unshift({
        title: 'Stop the background daemon',
        async run() {
          await stopAgent(instance)
          hasStopped = true
        },
      })
    }
    const isNewProxy = rememberProxy(instance)
    claimInstanceName(instance)
    onStart()
    try {
      await runSteps(steps, context)
    } catch (error) {
      throw hasStopped ? withStopped(error) : error
    }
    const { change, file = null, pid, startsAt } = done!
    const { hub } = await knownOf(context, done!)
    const wasLeftAlone = before.state === 'running' && change === 'unchanged'
    const warnings = [
      ...done!.warnings,
      ...(isNewProxy && wasLeftAlone ? ['The proxy has changed. Run: connect daemon restart'] : []),
    ]
    return { change, file, pid, startsAt, warnings, hub }
  })
}

/** Of a failed install, where a daemon ran in the background before. */
function withStopped(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error
  const hints = [...error.hints, 'The background daemon was stopped. To start it again: connect daemon start']
  return new ConnectError(error.code, error.message, { hints, cause: error })
}

/** What installDaemon would do, and how it stands now. */
export interface PlannedInstall extends Omit<InstallReport, 'change' | 'pid' | 'startsAt' | 'warnings'> {
  /** It is so now. */
  readonly installed: boolean
  /** What it would report; null if a plugin doesn't say. */
  readonly change: Installed['change'] | null
  readonly pid: number | null
  readonly startsAt: Installed['startsAt']
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
    const { installed, pid = null, startsAt } = await platform.status()
    const { hub } = pid === null ? { hub: null } : await sayOf(context)
    return { installed, change, file: files[0]?.file ?? null, pid, startsAt, hub, plan: { files, commands } }
  }
  throw new ConnectError('INSTALL_UNSUPPORTED', `The platform ${description.name} has no --dry-run`, {
    hints: ['Without it: connect daemon install'],
  })
}

/** @returns undefined if there was nothing to remove */
export async function uninstallDaemon({
  instance,
  platform,
}: DaemonContext): Promise<Uninstalled | undefined> {
  return withCommandLock(instance, () => platform.uninstall(), { writes: false })
}

function checkSupported({ description, reasons }: Selection): void {
  if (description.name !== 'background') return
  const none = `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
  throw new ConnectError('INSTALL_UNSUPPORTED', none, {
    hints: [...reasons, 'Run it as a background process instead: connect daemon start'],
  })
}
