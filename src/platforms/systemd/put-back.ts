import { ConnectError, messageOf } from '../../errors.ts'
import type { FormerUnit } from './former-unit.ts'
import type { Installation } from './installation.ts'
import { removeUnit } from './remove-unit.ts'
import { isUp } from './unit-service.ts'

/**
 * After a failed install: the unit as it was, so that what was called a failure does not go on failing unseen.
 *
 * @returns the error to throw: the one that was given, and in its words what could not be put back
 */
export async function putBack(
  installation: Installation,
  former: FormerUnit,
  error: unknown,
): Promise<unknown> {
  try {
    if (former.text === undefined) await removeUnit(installation)
    else await restoreUnit(installation, former.state, former.text)
    return error
  } catch (undone) {
    if (!(error instanceof ConnectError)) return error
    const message = `${error.message}; what was there before could not be put back: ${messageOf(undone)}`
    return new ConnectError(error.code, message, { hints: error.hints, cause: error })
  }
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
