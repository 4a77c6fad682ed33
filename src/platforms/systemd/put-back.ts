import { ConnectError, messageOf } from '../../errors.ts'
import { stateOf } from './describe-unit.ts'
import type { FormerUnit } from './former-unit.ts'
import type { Installation } from './installation.ts'
import { removeUnit, tidyUp } from './remove-unit.ts'
import { isUp } from './unit-service.ts'

/**
 * After a failed install: the unit as it was, so that what was called a failure does not go on failing unseen.
 *
 * @returns the error to throw: the one that was given, which says how it was left
 */
export async function putBack(
  installation: Installation,
  former: FormerUnit,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error
  const left = await restore(installation, former).catch(
    (failure: unknown) => `What was there before could not be put back: ${messageOf(failure)}`,
  )
  return new ConnectError(error.code, error.message, { hints: [...error.hints, left], cause: error })
}

/** @returns how it is now, a sentence */
async function restore(installation: Installation, { state, text }: FormerUnit): Promise<string> {
  if (text === undefined) {
    await removeUnit(installation)
    await tidyUp(installation)
    return 'Nothing is installed, and nothing runs now.'
  }
  await restoreUnit(installation, state, text)
  return `It is installed as before (${stateOf(await installation.service.mustLook()).state}).`
}

async function restoreUnit(
  { file, service, manager }: Installation,
  state: FormerUnit['state'],
  text: string,
): Promise<void> {
  if (state.file !== 'enabled') await service.disable()
  else if (!isUp(state)) await service.stop()
  if (file.read() !== text) file.write(text)
  await manager.systemctl('daemon-reload')
  if (isUp(state)) await service.restart()
  else await service.forgetFailure()
}
