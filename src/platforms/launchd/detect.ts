import { existsSync } from 'node:fs'
import path from 'node:path'
import { realPathIfThere } from '../../files/real-path.ts'
import { recordedHome } from '../../runtime/user-database.ts'
import type { PlatformContext, Probe } from '../platform.ts'
import { installationOf } from './installation.ts'
import { TIMING } from './manager/launchctl.ts'

/**
 * Whether the daemon could be installed into this user's launchd; if not, the first thing that is in the way.
 */
export async function detectLaunchd(context: PlatformContext): Promise<Probe> {
  const { control, names } = installationOf(context, TIMING)
  const folders = (context.env.PATH ?? '').split(path.delimiter)
  if (!folders.some((folder) => existsSync(path.join(folder, 'launchctl'))))
    return no('there is no launchctl on this machine')
  // At a login launchd looks in the home folder that the user database names, whatever HOME says.
  const recorded = recordedHome()
  if (recorded === undefined) return no('the user database does not know this user')
  if (process.platform === 'darwin' && realPathIfThere(names.home) !== realPathIfThere(recorded))
    return no(`HOME is ${names.home}, but launchd looks for agents in ${recorded}`)
  const { doubt, domains } = await control.look()
  if (doubt !== undefined) return no(doubt)
  return domains.length > 0 ? { available: true } : no('launchd knows no login of yours')
}

function no(reason: string): Probe {
  return { available: false, reason }
}
