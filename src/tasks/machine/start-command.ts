import type { HubInstance } from '../../config/hub/hub-instance.ts'
import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { readProcessRecord } from '../../control/process-record.ts'
import type { NextStep } from './next-steps.ts'

/**
 * What has a daemon or a hub run here, if none does: the one that was there is started again, as it was kept
 * before; where none was it is best installed.
 *
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
export function startCommand(instance: Instance): string {
  const wasKept = readProcessRecord(instance)?.mode === 'daemon'
  return `${wordsOf(instance).command} ${wasKept ? 'start' : 'install'}`
}

/** The same for the hub: one that ran in a terminal had flags there that nobody has saved. */
export function hubStartStep(instance: HubInstance): NextStep {
  const wasInTerminal = readProcessRecord(instance)?.mode === 'foreground'
  return {
    command: startCommand(instance),
    note: wasInTerminal ? 'with the flags that connect hub had' : null,
  }
}
