import { ConnectError, messageOf } from '../../errors.ts'
import { stateOf } from './describe.ts'
import type { Installation } from './installation.ts'
import type { PreviousUnit } from './previous-unit.ts'
import { removeUnit, tidyUp } from './remove-unit.ts'
import { isUp } from './unit-control.ts'

/**
 * After a failed install: the unit as it was, so that what was called a failure does not go on failing unseen.
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

/** @returns how it is now, a sentence */
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
