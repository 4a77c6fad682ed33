// @ts-check
import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
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
 * How to have it started on boot.
 *
 * @param {string} services
 * @param {NodeJS.ProcessEnv} env
 */
export function bootHint(services, env) {
  // cron takes a bare % for the end of the line; by exec no shell stays between cron and s6-svscan.
  const line = `@reboot exec s6-svscan ${shownPath(services, env).replaceAll('%', String.raw`\%`)}`
  return `To have s6-svscan start on boot, let it be what a container runs, or add this by crontab -e: ${line}`
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
 * @param {string} services
 * @returns {number | undefined} the process id of the s6-svscan that watches it, where that can be seen
 */
export function watcherOf(services) {
  if (!existsSync(services) || !existsSync('/proc/self/comm')) return undefined
  const folder = realpathSync(services)
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && watchedBy(name) === folder)
  return pid === undefined ? undefined : Number(pid)
}

/**
 * @param {string} pid
 * @returns {string | undefined} the folder that this process watches, if it is an s6-svscan of this user
 */
function watchedBy(pid) {
  try {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 's6-svscan\n') return undefined
    // That is its working folder, however it was named.
    return realpathSync(`/proc/${pid}/cwd`)
  } catch {
    // It has ended meanwhile, or is another user's.
    return undefined
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
