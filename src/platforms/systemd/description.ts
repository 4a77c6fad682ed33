import { lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import type { PlatformDescription } from '../platform.ts'
import { unitNames } from './manager/names.ts'

/** A service of the user's own systemd. */
export const systemd: PlatformDescription = {
  apiVersion: 2,
  name: 'systemd',
  summary: 'a systemd service: started again after a crash',
  async probe({ env }) {
    const { detectSystemd } = await import('./detect.ts')
    return detectSystemd({ env })
  },
  async isInstalled(context) {
    const { file, wantedBy } = unitNames(context, homedir())
    // Of a unit whose file was removed by hand the link is left, and the service may still run.
    return [file, wantedBy].some((it) => lstatSync(it, { throwIfNoEntry: false }) !== undefined)
  },
  async load(context) {
    const { SystemdPlatform } = await import('./systemd.ts')
    return new SystemdPlatform(context)
  },
}
