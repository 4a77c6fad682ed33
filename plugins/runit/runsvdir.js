// @ts-check
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { quote } from './service-folder.js'

/**
 * Why the user's services can't be put into that folder: for the user, with the one command to run.
 *
 * @param {string} services
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} undefined if they can
 */
export function whyNot(services, env) {
  if (!isOnPath('sv', env)) return 'there is no program sv. Install the package runit of your system'
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
    why: `runsvdir does not watch ${shown}`,
    // In a session of its own, since it ends with the terminal's.
    hint: `Run: mkdir -p ${shown} && setsid runsvdir -P ${shown} &`,
  }
}

/**
 * How to have it started on boot.
 *
 * @param {string} services
 * @param {NodeJS.ProcessEnv} env
 */
export function bootHint(services, env) {
  // cron takes a bare % for the end of the line; by exec no shell stays between cron and runsvdir.
  const line = `@reboot exec runsvdir -P ${shownPath(services, env).replaceAll('%', String.raw`\%`)}`
  return `To have runsvdir start on boot, let it be what a container runs, or add this by crontab -e: ${line}`
}

/** @param {string} services */
export function isWatched(services) {
  // Without /proc, as on BSD, only an attempt can tell.
  return existsSync('/proc/self/cmdline') ? watcherOf(services) !== undefined : existsSync(services)
}

/**
 * runsvdir leaves no trace in its folder, so it is looked for among the user's processes.
 *
 * @param {string} services
 * @returns {number | undefined} the process id of the runsvdir that watches it, where that can be seen
 */
export function watcherOf(services) {
  if (!existsSync(services) || !existsSync('/proc/self/cmdline')) return undefined
  const folder = realpathSync(services)
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && watchedBy(name) === folder)
  return pid === undefined ? undefined : Number(pid)
}

/**
 * @param {string} pid
 * @returns {string | undefined} the folder that this process watches, if it is a runsvdir of this user
 */
function watchedBy(pid) {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    if (path.basename(program) !== 'runsvdir' || statSync(`/proc/${pid}`).uid !== process.getuid?.())
      return undefined
    const folder = args.find((word) => !word.startsWith('-')) ?? ''
    return realpathSync(path.resolve(realpathSync(`/proc/${pid}/cwd`), folder))
  } catch {
    // It has ended meanwhile, or its folder is gone.
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
