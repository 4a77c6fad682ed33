import { lstatSync } from 'node:fs'
import type { PlatformDescription } from '../platform.ts'
import { jobNames } from './manager/names.ts'

/** A job of the user's own launchd. */
export const launchd: PlatformDescription = {
  apiVersion: 2,
  name: 'launchd',
  summary: 'a launchd agent: started again after a crash, and when you log in',
  async probe(context) {
    const { detectLaunchd } = await import('./detect.ts')
    return detectLaunchd(context)
  },
  async isInstalled(context) {
    return lstatSync(jobNames(context).file, { throwIfNoEntry: false }) !== undefined
  },
  async load(context) {
    const { LaunchdPlatform } = await import('./launchd.ts')
    return new LaunchdPlatform(context)
  },
}
