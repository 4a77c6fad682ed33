import { homedir } from 'node:os'
import type { Instance } from '../../config/instance.ts'
import type { PlatformContext } from '../platform.ts'
import { UnitFile } from './unit-file.ts'
import { unitPlace, type UnitPlace } from './unit-place.ts'
import { UnitService } from './unit-service.ts'
import { UserManager } from './user-manager.ts'

/** All that there is of one instance in this user's systemd. */
export interface Installation {
  readonly instance: Instance
  readonly home: string
  readonly place: UnitPlace
  readonly file: UnitFile
  readonly manager: UserManager
  readonly service: UnitService
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
    service: new UnitService(manager, place),
  }
}
