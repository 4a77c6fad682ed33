import type { Instance } from '../../config/instance.ts'
import type { PlatformContext } from '../platform.ts'
import { PlistFile } from './definition-file.ts'
import { JobControl } from './manager/control.ts'
import { Launchctl, type Timing } from './manager/manager.ts'
import { jobPlace, type JobPlace } from './manager/place.ts'

/** All that there is of one instance in launchd. */
export interface Installation {
  readonly instance: Instance
  readonly place: JobPlace
  readonly file: PlistFile
  readonly launchctl: Launchctl
  readonly control: JobControl
  readonly timing: Timing
}

export function installationOf(context: PlatformContext, timing: Timing): Installation {
  const place = jobPlace(context)
  const launchctl = new Launchctl(context.env, timing)
  return {
    instance: context.instance,
    place,
    file: new PlistFile(place),
    launchctl,
    control: new JobControl(place, launchctl, timing),
    timing,
  }
}
