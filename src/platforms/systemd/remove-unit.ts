import { existsSync, readdirSync } from 'node:fs'
import { ConnectError } from '../../errors.ts'
import { tilde } from '../../text/tilde.ts'
import { clearReceipt, readReceipt } from './install-receipt.ts'
import type { Installation } from './installation.ts'
import { setLingering } from './lingering.ts'
import { isUp } from './unit-control.ts'

/**
 * Stops the service, and removes its unit: the file only once it is down, or nothing could stop it.
 *
 * @returns what could not be undone, or is the user's own
 * @throws ConnectError DAEMON_WONT_STOP, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function removeUnit(installation: Installation): Promise<string[]> {
  const { place, file, manager, control } = installation
  const hasManager = await manager.isThere()
  const warnings: string[] = []
  if (hasManager) await control.disable()
  else warnings.push('Your user manager does not run: only the files were removed')
  file.disable()
  file.remove()
  if (hasManager) {
    await manager.systemctl('daemon-reload')
    await control.forgetFailure()
    const after = await control.readState()
    if (!after || isUp(after)) {
      const message = `systemd still knows ${place.name} although its file is gone`
      throw new ConnectError('SERVICE_MANAGER_FAILED', message)
    }
  }
  const { dropIns } = file
  if (dropIns !== undefined) warnings.push(`Settings of your own for it are still there: ${tilde(dropIns)}`)
  return warnings
}

/**
 * Once no instance is installed any more: the folders and the lingering as they were.
 *
 * @returns what could not be undone
 */
export async function tidyUp({ place, manager, home }: Installation): Promise<string[]> {
  const units = existsSync(place.folder) ? readdirSync(place.folder) : []
  if (units.some((name) => /^private-connect(-.*)?\.service$/.test(name))) return []
  const { lingering } = readReceipt(home)
  clearReceipt(home)
  const refused = lingering ? await setLingering(manager, 'off') : undefined
  return refused === undefined ? [] : [`Lingering is still on: ${refused}`]
}
