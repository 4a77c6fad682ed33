import { wordsOf } from '../config/kind.ts'
import { ConnectError } from '../errors.ts'
import type { Selection } from '../platforms/selection/select.ts'
import type { KeptContext } from './steps/kept.ts'

/**
 * @param startFlags see Kept
 * @throws ConnectError INSTALL_UNSUPPORTED where there is no service manager
 */
export function checkSupported(
  { instance }: KeptContext,
  { description, reasons }: Selection,
  startFlags = '',
): void {
  if (description.name !== 'background') return
  const none = `No service manager is supported on this machine (${process.platform}) by this version of Private Connect`
  throw new ConnectError('INSTALL_UNSUPPORTED', none, {
    hints: [
      ...reasons,
      `Run it as a background process instead: ${wordsOf(instance).command} start${startFlags}`,
    ],
  })
}

/** Before what runs in the background is ended for it. @throws ConnectError INSTALL_UNSUPPORTED */
export async function checkAvailable({ instance, description }: KeptContext): Promise<void> {
  const probe = await description.probe({ instance, env: process.env })
  if (probe.available) return
  const [why = '', command] = probe.reason.split('. Run: ')
  throw new ConnectError('INSTALL_UNSUPPORTED', `${description.name} can’t keep it: ${why}`, {
    hints: [
      ...(command === undefined ? [] : [`Run: ${command}`]),
      `The background ${wordsOf(instance).kept} goes on as it was.`,
    ],
  })
}
