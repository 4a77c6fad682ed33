import { homedir } from 'node:os'
import type { Instance } from '../../config/instance.ts'
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

export function installationOf(context: PlatformContext): Installation {
  const home = homedir()
  const names = unitNames(context, home)
  const manager = new UserManager(context.env)
  return {
    instance: context.instance,
    home,
    names,
    file: new UnitFile(names, home),
    manager,
    control: new UnitControl(manager, names),
  }
}
