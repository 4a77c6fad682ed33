import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { readAgentRecord } from '../../control/agent-record.ts'

/**
 * What has a daemon or a hub run here, if none does: the one that was there is started again, as it was kept
 * before; where none was it is best installed.
 *
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
export function startCommand(instance: Instance): string {
  const wasKept = readAgentRecord(instance)?.mode === 'daemon'
  return `${wordsOf(instance).command} ${wasKept ? 'start' : 'install'}`
}
