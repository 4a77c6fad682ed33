import { ConnectError } from '../errors.ts'
import { BackgroundPlatform } from '../platforms/background/background.ts'
import type { Selection } from '../platforms/select.ts'
import { withCommandLock } from './command-lock.ts'
import { daemonOf, type DaemonContext } from './daemon-context.ts'
import { runSteps, type Step } from './run-steps.ts'

/**
 * Installs the daemon as a service of the machine.
 *
 * @throws ConnectError NOT_CONFIGURED, INSTALL_UNSUPPORTED
 */
export async function installDaemon(
  context: DaemonContext,
  { description, reasons }: Selection,
): Promise<void> {
  const daemon = daemonOf(context)
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
    const former = new BackgroundPlatform({ instance, env: process.env })
    if (!installed && (await former.status()).state === 'running') {
      steps.unshift({ title: 'Stop the background daemon', run: async () => void (await former.stop()) })
    }
    await runSteps(steps, context)
  })
}

/** @returns false if there was nothing to remove */
export async function uninstallDaemon(context: DaemonContext): Promise<boolean> {
  return withCommandLock(context.instance, () => context.platform.uninstall())
}

function noServiceManager(): string {
  return `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
}
