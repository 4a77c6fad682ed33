import { homedir } from 'node:os'
import type { Instance } from '../../config/instance.ts'
import { ConnectError } from '../../errors.ts'
import { tilde } from '../../text/tilde.ts'
import type { PlatformContext } from '../platform.ts'
import { UnitFile } from './definition-file.ts'
import { UnitControl } from './manager/control.ts'
import { unitNames, type UnitNames } from './manager/names.ts'
import { UserManager } from './manager/systemctl.ts'

/** All that there is of one instance in this user's systemd. */
export interface Installation {
  readonly instance: Instance
  readonly home: string
  readonly names: UnitNames
  readonly file: UnitFile
  readonly manager: UserManager
  readonly control: UnitControl
}

/** @throws ConnectError HUB_NAME_TAKEN */
export function installationOf(context: PlatformContext): Installation {
  const home = homedir()
  const names = unitNames(context, home)
  const manager = new UserManager(context.env)
  const file = new UnitFile(names, home)
  if (context.instance.kind === 'hub') refuseAgentsUnit(names, file)
  return {
    instance: context.instance,
    home,
    names,
    file,
    manager,
    control: new UnitControl(manager, names),
  }
}

/**
 * An agent that was installed before the name was the hub's may have the unit. It is known which one has it,
 * see config/instance-name.ts, but where that was deleted.
 */
function refuseAgentsUnit({ name, file }: UnitNames, unit: UnitFile): void {
  if (unit.link !== undefined || !/^ExecStart=.* "up" /m.test(unit.read() ?? '')) return
  throw new ConnectError('HUB_NAME_TAKEN', `${tilde(file)} is the unit of an agent`, {
    hints: [
      `Remove it: systemctl --user disable --now ${name} && rm ${tilde(file)}`,
      'Then install the agent again: connect daemon install --config FILE',
    ],
  })
}
