// @ts-check
import { accessSync, closeSync, constants, openSync } from 'node:fs'
import path from 'node:path'
import { quote } from './service-folder.js'

const PROGRAMS = ['s6-svc', 's6-svscanctl', 's6-svstat']

/**
 * Why the user's services can't be put into that folder: for the user, with the one command to run.
 *
 * @param {string} services
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} undefined if they can
 */
export function whyNot(services, env) {
  const missing = PROGRAMS.find((program) => !isOnPath(program, env))
  if (missing !== undefined) return `there is no program ${missing}. Install the package s6 of your system`
  if (isWatched(services)) return undefined
  const { why, hint } = unwatched(services, env)
  return `${why}. ${hint}`
}

/**
 * @param {string} services
 * @param {NodeJS.ProcessEnv} env
 */
export function unwatched(services, env) {
  const shown = shownPath(services, env)
  return {
    why: `s6-svscan does not watch ${shown}`,
    // In a session of its own, since it ends with the terminal's.
    hint: `Run: mkdir -p ${shown} && setsid s6-svscan ${shown} &`,
  }
}

/**
 * Whether somebody reads what s6-svscanctl would write.
 *
 * @param {string} services
 */
export function isWatched(services) {
  try {
    const control = path.join(services, '.s6-svscan', 'control')
    closeSync(openSync(control, constants.O_WRONLY | constants.O_NONBLOCK))
    return true
  } catch {
    // ENXIO: nobody does.
    return false
  }
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
function isOnPath(program, { PATH = '' }) {
  return PATH.split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * As one types it.
 *
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
function shownPath(folder, { HOME = '' }) {
  const below = path.relative(HOME, folder)
  if (HOME !== '' && /^[\w.-][\w./-]*$/.test(below) && !below.startsWith('..')) return `~/${below}`
  return /^[\w./-]+$/.test(folder) ? folder : quote(folder)
}
