import { OWN_HUB, OWN_HUB_UNKEPT } from '../../config/first-steps.ts'
import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { readProcessRecord } from '../../control/process-record.ts'
import { canInstall } from '../../platforms/selection/can-install.ts'
import type { Brought } from '../../platforms/selection/known-platforms.ts'
import { joinNotes, type NextStep } from './next-step.ts'

/** What plugins bring to keep it with; asked only where nothing built in can. */
export type AskPlugins = () => Promise<Brought>

const UNKEPT = 'it does not come back after a reboot'

/** Of what might keep it one did not answer, or failed. */
const UNKNOWN = 'whether it comes back after a reboot is not known: what could keep it does not say'

/**
 * What has a daemon or a hub run here, if none does: the one that was there is started again, as it was kept
 * before; where none was it is best installed, if there is anything here to install it into.
 *
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
export async function startStep(instance: Instance, plugins: AskPlugins): Promise<NextStep> {
  const mode = readProcessRecord(instance)?.mode
  const isKept = await canInstall({ instance, env: process.env }, plugins)
  // A hub that ran in a terminal had flags there that nobody has saved.
  const hadFlags = instance.kind === 'hub' && mode === 'foreground'
  const verb = mode === 'daemon' || !isKept ? 'start' : 'install'
  const notes = [hadFlags ? 'with the flags that connect hub had' : null, aboutReboots(isKept)]
  return { command: `${wordsOf(instance).command} ${verb}`, note: joinNotes(...notes) }
}

/** What has a hub of this user's own run here, where there has never been one. */
export async function ownHubStep(hub: Instance, plugins: AskPlugins): Promise<NextStep> {
  const isKept = await canInstall({ instance: hub, env: process.env }, plugins)
  const note = joinNotes('for a hub of your own, here', aboutReboots(isKept))
  return { command: isKept ? OWN_HUB : OWN_HUB_UNKEPT, note }
}

function aboutReboots(isKept: boolean | undefined): string | null {
  if (isKept === undefined) return UNKNOWN
  return isKept ? null : UNKEPT
}
