import { homedir } from 'node:os'
import path from 'node:path'
import type { PlatformContext } from '../../platform.ts'

/** What an instance's job is called: by launchd, and on the disk. */
export interface JobNames {
  /** `co.privateconnect.agent`, `co.privateconnect.agent.staging` */
  readonly label: string
  readonly home: string
  readonly folder: string
  readonly file: string
  /**
   * Where launchd may have the job: with a login at the screen, and without. Each is a
   * launchctl(1) domain target.
   */
  readonly domains: readonly string[]
}

/** launchd looks there at each login. */
export function jobNames({ instance, env }: PlatformContext): JobNames {
  const suffix = instance.name === 'default' ? '' : `.${labelPart(instance.name)}`
  const label = `co.privateconnect.agent${suffix}`
  const home = env.HOME || homedir()
  const folder = path.join(home, 'Library', 'LaunchAgents')
  const uid = process.getuid?.() ?? 0
  const domains = [`gui/${uid}`, `user/${uid}`]
  return { label, home, folder, file: path.join(folder, `${label}.plist`), domains }
}

/**
 * A label is part of a target, `gui/501/LABEL`, and of a file's name: other characters are written as
 * in a URL.
 */
function labelPart(name: string): string {
  return encodeURIComponent(name).replaceAll(/[!'()*~]/g, (it) => `%${it.charCodeAt(0).toString(16)}`)
}
