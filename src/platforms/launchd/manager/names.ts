import { homedir } from 'node:os'
import path from 'node:path'
import { wordsOf, type KindWords } from '../../../config/kind.ts'
import type { PlatformContext } from '../../platform.ts'

/** What an instance's job is called: by launchd, and on the disk. */
export interface JobNames {
  /** `co.privateconnect.agent`, `co.privateconnect.agent.staging`, `co.privateconnect.hub` */
  readonly label: string
  readonly home: string
  readonly folder: string
  readonly file: string
  /**
   * Where launchd may have the job: with a login at the screen, and without. Each is a
   * launchctl(1) domain target.
   */
  readonly domains: readonly string[]
  /** What errors and notes say of it. */
  readonly words: KindWords
}

/** launchd looks there at each login. */
export function jobNames({ instance, env }: PlatformContext): JobNames {
  const words = wordsOf(instance)
  const suffix = instance.name === words.mainInstance ? '' : `.${labelPart(instance.name)}`
  const label = `${words.label}${suffix}`
  const home = env.HOME || homedir()
  const folder = path.join(home, 'Library', 'LaunchAgents')
  const uid = process.getuid?.() ?? 0
  const domains = [`gui/${uid}`, `user/${uid}`]
  return { label, home, folder, file: path.join(folder, `${label}.plist`), domains, words }
}

/**
 * A label is part of a target, `gui/501/LABEL`, and of a file's name: other characters are written as
 * in a URL.
 */
function labelPart(name: string): string {
  return encodeURIComponent(name).replaceAll(/[!'()*~]/g, (it) => `%${it.charCodeAt(0).toString(16)}`)
}
