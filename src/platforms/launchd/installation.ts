import type { Instance } from '../../config/instance.ts'
import type { PlatformContext } from '../platform.ts'
import { PlistFile } from './definition-file.ts'
import { JobControl } from './manager/control.ts'
import { Launchctl, type Timing } from './manager/launchctl.ts'
import { jobNames, type JobNames } from './manager/names.ts'

/** All that there is of one instance in launchd. */
export interface Installation {
  readonly instance: Instance
  readonly names: JobNames
  readonly file: PlistFile
  readonly launchctl: Launchctl
  readonly control: JobControl
  readonly timing: Timing
}

export function installationOf(context: PlatformContext, timing: Timing): Installation {
  const names = jobNames(context)
  const launchctl = new Launchctl(context.env, timing)
  return {
    instance: context.instance,
    names,
    file: new PlistFile(names),
    launchctl,
    control: new JobControl(names, launchctl, timing),
    timing,
  }
}
