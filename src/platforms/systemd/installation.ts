import { homedir } from 'node:os'
import type { Instance } from '../../config/instance.ts'
import type { PlatformContext } from '../platform.ts'
import { UnitFile } from './definition-file.ts'
import { UnitControl } from './manager/control.ts'
import { UserManager } from './manager/manager.ts'
import { unitPlace, type UnitPlace } from './manager/place.ts'

/** All that there is of one instance in this user's systemd. */
export interface Installation {
  readonly instance: Instance
  readonly home: string
  readonly place: UnitPlace
  readonly file: UnitFile
  readonly manager: UserManager
  readonly control: UnitControl
}

export function installationOf(context: PlatformContext): Installation {
  const home = homedir()
  const place = unitPlace(context, home)
  const manager = new UserManager(context.env)
  return {
    instance: context.instance,
    home,
    place,
    file: new UnitFile(place, home),
    manager,
    control: new UnitControl(manager, place),
  }
}
