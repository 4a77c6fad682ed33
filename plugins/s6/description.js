// @ts-check
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** @import { PlatformContext, PluginDescription } from 'private-connect/platform' */

/** @type {PluginDescription} */
const s6 = {
  apiVersion: 2,
  name: 's6',
  summary: 's6: started again after a crash, and whenever s6-svscan starts',
  async probe({ env }) {
    const { whyNot } = await import('./scandir.js')
    const reason = whyNot(servicesFolder(env), env)
    return reason === undefined ? { available: true } : { available: false, reason }
  },
  isInstalled: async (context) => existsSync(serviceFolder(context)),
  async load(context) {
    const { S6Platform } = await import('./platform.js')
    return new S6Platform(serviceFolder(context), context)
  },
}

/**
 * What the user's own s6-svscan watches. s6 itself has neither a folder nor a variable for that: these are
 * what others use.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function servicesFolder({ S6_SCANDIR, HOME = homedir() }) {
  return S6_SCANDIR ? path.resolve(S6_SCANDIR) : path.join(HOME, '.s6', 'service')
}

/**
 * Every instance has a service folder of its own.
 *
 * @param {PlatformContext} context
 */
function serviceFolder({ instance, env }) {
  return path.join(servicesFolder(env), `private-connect-${instance.name}`)
}

export default async () => s6
