import { closeSync } from 'node:fs'
import path from 'node:path'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { openOutputLog } from '../../process/spawn-detached.ts'
import type { Daemon, Installed } from '../platform.ts'
import { unitText } from './definition.ts'
import type { Installation } from './installation.ts'
import type { PreviousUnit } from './previous-unit.ts'

/**
 * Writes the unit if it differs, and has the manager read it.
 *
 * @throws ConnectError INSTALL_UNSUPPORTED, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function writeUnit(
  { instance, place, file, control }: Installation,
  daemon: Daemon,
  previous: PreviousUnit,
): Promise<Installed['change']> {
  const wanted = unitText(daemon)
  const found = previous.text
  const change = changeOf(previous, wanted)
  // systemd would make the log for all to read.
  closeSync(openOutputLog(daemon.logFile))
  if (change === 'unchanged') return change
  if (found !== wanted) {
    // What someone has written into it by hand isn't lost.
    if (found) writeFileAtomic(path.join(instance.folder, `${place.name}.old`), found)
    file.write(wanted)
  }
  await control.reload()
  return change
}

/** What has to be done about the unit itself; whether it runs and is enabled is another matter. */
export function changeOf({ state, text }: PreviousUnit, wanted: string): Installed['change'] {
  if (text === undefined) return 'created'
  return text === wanted && state.load === 'loaded' && !state.isOutdated ? 'unchanged' : 'updated'
}
