import { userInfo } from 'node:os'
import path from 'node:path'
import { codeOf } from '../errors.ts'

/** Stands for the home of a user who has none, and is never there (Debian gives it to `nobody`). */
const NO_HOME = '/nonexistent'

/**
 * Fills in what Node.js and oclif take for granted, and a container or a bare `env -i` may lack: a home
 * folder and a shell. To be called before anything asks for them; what is started from here gets the same.
 */
export function settleEnvironment(env: NodeJS.ProcessEnv): void {
  // An empty or relative one would put our files wherever a command is called: the user's own
  // is taken instead.
  if (env.HOME !== undefined && !path.isAbsolute(env.HOME)) delete env.HOME
  if (env.HOME !== undefined && env.SHELL) return
  if (hasEntry()) return
  env.HOME ??= NO_HOME
  env.SHELL ||= '/bin/sh'
}

/** Whether the user database (passwd(5)) knows this user: a container's process may be given any number. */
function hasEntry(): boolean {
  try {
    userInfo()
    return true
  } catch (error) {
    if (codeOf(error) === 'ERR_SYSTEM_ERROR') return false
    throw error
  }
}

/** Why a home folder can't be used that is not there; a sentence without a full stop. */
export function missingHome(home: string): string {
  if (home !== NO_HOME) return `the home folder ${home} does not exist`
  return 'HOME is not set, and the user database knows no home folder for this user'
}
