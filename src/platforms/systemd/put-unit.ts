import { closeSync } from 'node:fs'
import path from 'node:path'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import { openLog } from '../../process/spawn-detached.ts'
import type { Daemon, Installed } from '../platform.ts'
import type { FormerUnit } from './former-unit.ts'
import type { Installation } from './installation.ts'
import { unitText } from './unit.ts'

/**
 * Writes the unit if it differs, and has the manager read it.
 *
 * @throws ConnectError INSTALL_UNSUPPORTED, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function putUnit(
  { instance, place, file, service }: Installation,
  daemon: Daemon,
  former: FormerUnit,
): Promise<Installed['change']> {
  const wanted = unitText(daemon)
  const found = former.text
  const change = changeOf(former, wanted)
  // Else systemd would make it, for all to read.
  closeSync(openLog(daemon.logFile))
  if (change === 'unchanged') return change
  if (found !== wanted) {
    // What someone has written into it by hand isn't lost.
    if (found) writeFileAtomic(path.join(instance.folder, `${place.name}.old`), found)
    file.write(wanted)
  }
  await service.reload()
  return change
}

/** What has to be done about the unit itself; whether it runs and is enabled is another matter. */
export function changeOf({ state, text }: FormerUnit, wanted: string): Installed['change'] {
  if (text === undefined) return 'created'
  return text === wanted && state.load === 'loaded' && !state.isOutdated ? 'unchanged' : 'updated'
}
