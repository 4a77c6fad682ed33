import { ConnectError } from '../../errors.ts'
import { tilde } from '../../text/tilde.ts'
import type { Installation } from './installation.ts'
import type { UnitState } from './state.ts'

/** How a unit is before it is written. */
export interface PreviousUnit {
  readonly state: UnitState
  /** What its file holds; undefined if there is none. */
  readonly text: string | undefined
}

/** @throws ConnectError INSTALL_UNSUPPORTED where someone else has a say on it, SERVICE_MANAGER_FAILED, CONFIG_UNREADABLE */
export async function readPreviousUnit(installation: Installation): Promise<PreviousUnit> {
  const state = await installation.control.requireState()
  refuseForeign(installation, state)
  return { state, text: installation.file.read() }
}

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
