// @ts-check
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** @import { PlatformContext, PluginDescription } from 'private-connect/platform' */

/** @type {PluginDescription} */
const runit = {
  apiVersion: 2,
  name: 'runit',
  summary: 'runit: started again after a crash, and whenever runsvdir starts',
  async probe({ env }) {
    const { whyNot } = await import('./runsvdir.js')
    const reason = whyNot(servicesFolder(env), env)
    return reason === undefined ? { available: true } : { available: false, reason }
  },
  isInstalled: async (context) => existsSync(serviceFolder(context)),
  async load(context) {
    const { RunitPlatform } = await import('./platform.js')
    return new RunitPlatform(serviceFolder(context), context)
  },
}

/**
 * What the user's own runsvdir watches: of SVDIR sv(8) knows, too, and ~/service is where Void Linux has it.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function servicesFolder({ SVDIR, HOME = homedir() }) {
  return SVDIR ? path.resolve(SVDIR) : path.join(HOME, 'service')
}

/**
 * Every instance has a service folder of its own.
 *
 * @param {PlatformContext} context
 */
function serviceFolder({ instance, env }) {
  return path.join(servicesFolder(env), `private-connect-${instance.name}`)
}

export default async () => runit
