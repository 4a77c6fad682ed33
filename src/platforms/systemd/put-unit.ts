import { closeSync } from 'node:fs'
import path from 'node:path'
import { tilde } from '../../config/tilde.ts'
import { ConnectError } from '../../errors.ts'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import { openLog } from '../../process/spawn-detached.ts'
import type { Daemon, Installed } from '../platform.ts'
import type { Installation } from './installation.ts'
import type { UnitState } from './unit-state.ts'
import { unitText } from './unit.ts'

/**
 * Writes the unit if it differs, and has the manager read it.
 *
 * @returns what was done, and how the unit was before
 * @throws ConnectError INSTALL_UNSUPPORTED, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function putUnit(
  installation: Installation,
  daemon: Daemon,
): Promise<{ change: Installed['change']; before: UnitState }> {
  const { instance, place, file, service } = installation
  const before = await service.mustLook()
  refuseForeign(installation, before)
  const wanted = unitText(daemon)
  const found = file.read()
  // Else systemd would make it, for all to read.
  closeSync(openLog(daemon.logFile))
  if (found === wanted && before.load === 'loaded' && !before.isOutdated)
    return { change: 'unchanged', before }
  if (found !== wanted) {
    // What someone has written into it by hand isn't lost.
    if (found) writeFileAtomic(path.join(instance.folder, `${place.name}.old`), found)
    file.write(wanted)
  }
  await service.reload()
  return { change: found === undefined ? 'created' : 'updated', before }
}

/** Where someone else has a say on the unit. */
function refuseForeign({ place, file }: Installation, { load }: UnitState): void {
  const { link, isEmpty } = file
  // systemd takes an empty file for masked too: that one is overwritten.
  if (link === '/dev/null' || (load === 'masked' && !isEmpty)) {
    const message = `${place.name} is masked: someone has forbidden to start it`
    throw new ConnectError('INSTALL_UNSUPPORTED', message, {
      hints: [`To allow it: systemctl --user unmask ${place.name}`, 'Then: connect daemon install'],
    })
  }
  if (link === undefined) return
  throw new ConnectError('INSTALL_UNSUPPORTED', `${tilde(place.file)} is a link to ${link}`, {
    hints: ['Whatever has put it there keeps the unit; remove the link first.'],
  })
}
