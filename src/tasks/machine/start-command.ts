import type { Instance } from '../../config/instance.ts'
import { readAgentRecord } from '../../control/agent-record.ts'

/**
 * What has a daemon run here, if none does: the one that was there is started again, as it was kept before;
 * where none was it is best installed.
 *
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
export function startCommand(instance: Instance): string {
  return readAgentRecord(instance)?.mode === 'daemon' ? 'connect daemon start' : 'connect daemon install'
}
