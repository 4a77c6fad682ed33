import { claimInstanceName } from '../config/instance.ts'
import { findAgent } from '../control/find-agent.ts'
import { stopAgent } from '../control/stop-agent.ts'
import { ConnectError } from '../errors.ts'
import type { Daemon } from '../platforms/platform.ts'
import type { Selection } from '../platforms/select.ts'
import { withCommandLock } from './command-lock.ts'
import type { DaemonContext } from './daemon-context.ts'
import { runSteps, type Step } from './run-steps.ts'

/**
 * Installs the daemon as a service of the machine.
 *
 * @param daemon see daemonOf
 * @throws ConnectError INSTALL_UNSUPPORTED
 */
export async function installDaemon(
  context: DaemonContext,
  daemon: Daemon,
  { description, reasons }: Selection,
): Promise<void> {
  if (description.name === 'background') {
    throw new ConnectError('INSTALL_UNSUPPORTED', noServiceManager(), {
      hints: [...reasons, 'Run it as a background process instead: connect daemon start'],
    })
  }
  const { instance, platform } = context
  await withCommandLock(instance, async () => {
    const steps: Step[] = [{ title: 'Install the daemon', run: () => platform.install(daemon) }]
    // One that was started in the background would hold the agent's lock for ever.
    const { installed } = await platform.status()
    const former = installed ? undefined : await findAgent(instance)
    if (former?.state === 'running' && former.agent.mode === 'daemon') {
      steps.unshift({
        title: 'Stop the background daemon',
        run: async () => void (await stopAgent(instance)),
      })
    }
    claimInstanceName(instance)
    await runSteps(steps, context)
  })
}

/** @returns false if there was nothing to remove */
export async function uninstallDaemon(context: DaemonContext): Promise<boolean> {
  return withCommandLock(context.instance, () => context.platform.uninstall(), { writes: false })
}

function noServiceManager(): string {
  return `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
}
