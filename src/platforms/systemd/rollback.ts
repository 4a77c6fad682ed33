import { ConnectError, messageOf } from '../../errors.ts'
import { tilde } from '../../text/tilde.ts'
import { tidyUp } from './install-receipt.ts'
import type { Installation } from './installation.ts'
import { isUp } from './manager/control.ts'
import { stateOf, type UnitState } from './manager/state.ts'
import { removeUnit } from './stop.ts'

/** How a unit is before it is written. */
export interface PreviousUnit {
  readonly state: UnitState
  /** What its file holds; undefined if there is none. */
  readonly text: string | undefined
}

/**
 * @throws ConnectError INSTALL_UNSUPPORTED where someone else has a say on the unit, SERVICE_MANAGER_FAILED,
 * CONFIG_UNREADABLE
 */
export async function readPreviousUnit(installation: Installation): Promise<PreviousUnit> {
  const state = await installation.control.requireState()
  refuseForeign(installation, state)
  return { state, text: installation.file.read() }
}

function refuseForeign({ names, file }: Installation, { load }: UnitState): void {
  const { link, isEmpty } = file
  // systemd takes an empty file for masked too: such a file is overwritten.
  if (link === '/dev/null' || (load === 'masked' && !isEmpty)) {
    const message = `${names.name} is masked: someone has forbidden to start it`
    throw new ConnectError('INSTALL_UNSUPPORTED', message, {
      hints: [`To allow it: systemctl --user unmask ${names.name}`, `Then: ${names.words.command} install`],
    })
  }
  if (link === undefined) return
  throw new ConnectError('INSTALL_UNSUPPORTED', `${tilde(names.file)} is a link to ${link}`, {
    hints: ['Whatever has put it there keeps the unit; remove the link first.'],
  })
}

/**
 * After a failed install: puts back the unit as it was, so that what was called a failure does not go
 * on failing unseen.
 *
 * @returns the error to throw: the one that was given, which says how it was left
 */
export async function rollBack(
  installation: Installation,
  previous: PreviousUnit,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error
  const left = await restore(installation, previous).catch(
    (failure: unknown) => `What was there before could not be put back: ${messageOf(failure)}`,
  )
  return new ConnectError(error.code, error.message, { hints: [...error.hints, left], cause: error })
}

/** @returns a sentence on what is installed and runs now */
async function restore(installation: Installation, { state, text }: PreviousUnit): Promise<string> {
  if (text === undefined) {
    await removeUnit(installation)
    await tidyUp(installation)
    return 'Nothing is installed, and nothing runs now.'
  }
  await restoreUnit(installation, state, text)
  return `It is installed as before (${stateOf(await installation.control.requireState()).state}).`
}

async function restoreUnit(
  { file, control, manager }: Installation,
  state: PreviousUnit['state'],
  text: string,
): Promise<void> {
  if (state.file !== 'enabled') await control.disable()
  else if (!isUp(state)) await control.stop()
  if (file.read() !== text) file.write(text)
  await manager.systemctl('daemon-reload')
  if (isUp(state)) await control.restart()
  else await control.forgetFailure()
}
