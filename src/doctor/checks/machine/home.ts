import { accessSync, constants, statSync } from 'node:fs'
import { codeOf, messageOf } from '../../../errors.ts'
import { missingHome } from '../../../files/home.ts'
import { recordedHome } from '../../../runtime/user-database.ts'
import { sentence } from '../../../text/counted.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

const SET_HOME = 'Set HOME to a folder that is there and belongs to this user: HOME=/FOLDER connect doctor'

/** Everything of ours lies in the home folder. */
export const homeFolder: Check<DoctorContext> = {
  name: 'home',
  group: 'machine',
  title: 'Home folder',
  async run({ home, env }) {
    const { SUDO_USER } = env
    if (process.geteuid?.() === 0 && SUDO_USER && SUDO_USER !== 'root')
      return {
        state: 'warning',
        seen: `With sudo this is about root in ${home}, and not about ${SUDO_USER}`,
        fix: 'Run it as yourself, without sudo: connect doctor',
      }
    try {
      if (!statSync(home).isDirectory())
        return { state: 'failed', seen: `${home} is not a folder`, fix: SET_HOME }
      accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      const isMissing = codeOf(error) === 'ENOENT'
      const seen = isMissing ? sentence(missingHome(home)) : `${home} can’t be used: ${messageOf(error)}`
      return { state: 'failed', seen, fix: SET_HOME }
    }
    const recorded = recordedHome()
    if (recorded !== undefined && tilde(recorded) !== '~')
      return { state: 'ok', seen: `${home}, as HOME says; the user database has ${recorded}` }
    return { state: 'ok', seen: home }
  },
}
