import { ConnectError } from '../errors.ts'
import type { Selection } from '../platforms/select.ts'
import { withCommandLock } from './command-lock.ts'
import { daemonOf, type DaemonContext } from './daemon-context.ts'
import { runSteps } from './run-steps.ts'

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
  await withCommandLock(context.instance, () =>
    runSteps([{ title: 'Install the daemon', run: () => context.platform.install(daemon) }], context),
  )
}

/** @returns false if there was nothing to remove */
export async function uninstallDaemon(context: DaemonContext): Promise<boolean> {
  return withCommandLock(context.instance, () => context.platform.uninstall())
}

function noServiceManager(): string {
  return `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
}
