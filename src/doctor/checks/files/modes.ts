import { chmodSync, closeSync, constants, fchmodSync, openSync } from 'node:fs'
import type { Instance } from '../../../config/instance.ts'
import { codeOf } from '../../../errors.ts'
import { counted } from '../../../text/counted.ts'
import { shellQuote } from '../../../text/shell-quote.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { ourFiles, type OurFile } from './our-files.ts'

/** What we make is for this user alone: others could read keys, or have us believe what they write. */
export const modes: Check<DoctorContext> = {
  name: 'modes',
  group: 'files',
  title: 'Modes of our files',
  async run(patient) {
    if (process.platform === 'win32') return { state: 'skipped', seen: 'This system has no such modes' }
    const ours = ourFiles(patient).filter(({ found }) => found.uid === process.geteuid?.())
    const wrong = ours.filter((one) => hasWrongMode(one, patient.instance))
    const [first] = wrong
    if (!first) return { state: 'ok', seen: 'All are open to this user, and closed to others' }
    const mode = (first.found.mode & 0o777).toString(8).padStart(3, '0')
    const more = wrong.length === 1 ? '' : `; ${wrong.length - 1} more are wrong, too`
    return {
      state: 'failed',
      seen: `${tilde(first.file)} ${whatIsWrong(first)} (mode ${mode})${more}`,
      fix:
        wrong.length > 1
          ? 'Run: connect doctor --fix'
          : `Run: chmod ${rightMode(first).toString(8)} ${shellQuote(first.file)}`,
      async mend() {
        for (const { file, found } of wrong) setMode(file, rightMode({ file, found }))
        return `${counted(wrong.length, 'mode was', 'modes were')} set`
      },
    }
  },
}

/** Open to its owner, and for others nothing. */
function rightMode({ found }: OurFile): number {
  return found.isDirectory() ? 0o700 : 0o600
}

/** What is no secret may be read: somebody who has edited it may have left it so. */
export function hasWrongMode({ file, found }: OurFile, { configFile }: Instance): boolean {
  const own = found.isDirectory() ? 0o700 : 0o600
  const isSecret = found.isDirectory() || file === configFile || /\.(key|db)$/.test(file)
  return (found.mode & (isSecret ? 0o077 : 0o022)) !== 0 || (found.mode & own) !== own
}

function whatIsWrong({ found }: OurFile): string {
  if ((found.mode & 0o077) === 0) return 'is closed to its own user'
  return (found.mode & 0o022) === 0 ? 'can be read by other users' : 'can be changed by other users'
}

/** Through no link: in a folder that others use they could have laid one out just now. */
function setMode(file: string, mode: number): void {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    // Closed to us, or a socket: so it is no link.
    if (!['EACCES', 'ENXIO', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    return chmodSync(file, mode)
  }
  try {
    fchmodSync(descriptor, mode)
  } finally {
    closeSync(descriptor)
  }
}
