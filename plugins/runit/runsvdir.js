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
 * runsvdir leaves no trace in its folder, so it is looked for among the user's processes.
 *
 * @param {string} services
 */
export function isWatched(services) {
  if (!existsSync(services)) return false
  // Without /proc, as on BSD, only an attempt can tell.
  if (!existsSync('/proc/self/cmdline')) return true
  const folder = realpathSync(services)
  return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && watchedBy(pid) === folder)
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
