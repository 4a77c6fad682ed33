import { chmodSync, closeSync, constants, fchmodSync, fstatSync, openSync } from 'node:fs'
import path from 'node:path'
import type { Instance } from '../../../config/instance.ts'
import { codeOf } from '../../../errors.ts'
import { checkWay } from '../../../files/trust.ts'
import { counted } from '../../../text/counted.ts'
import { shellQuote } from '../../../text/shell-quote.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { hasOtherNames, ourFiles, type OurFile } from './our-files.ts'
import { isForeign } from './owners.ts'

/** What we make is for this user alone: others could read keys, or have us believe what they write. */
export const modes: Check<DoctorContext> = {
  name: 'modes',
  group: 'files',
  title: 'Modes of our files',
  async run(patient) {
    if (process.platform === 'win32') return { state: 'skipped', seen: 'This system has no such modes' }
    const all = ourFiles(patient)
    const wrong = all.filter((one) => !isForeign(one) && hasWrongMode(one, patient.instance))
    const first = wrong.find((one) => whyDoubtful(one, all) !== undefined) ?? wrong[0]
    if (!first) return { state: 'ok', seen: 'All are open to this user, and closed to others' }
    const mode = (first.found.mode & 0o777).toString(8).padStart(3, '0')
    const more = wrong.length === 1 ? '' : `; ${wrong.length - 1} more are wrong, too`
    const seen = `${tilde(first.file)} ${whatIsWrong(first)} (mode ${mode})${more}`
    const why = whyDoubtful(first, all)
    if (why !== undefined) return { state: 'failed', seen, fix: why }
    return {
      state: 'failed',
      seen,
      fix:
        wrong.length > 1
          ? 'Run: connect doctor --fix'
          : `Run: chmod ${rightMode(first).toString(8)} ${shellQuote(first.file)}`,
      async mend() {
        for (const one of wrong) setMode(one, rightMode(one))
        return `${counted(wrong.length, 'mode was', 'modes were')} set`
      },
    }
  },
}

/**
 * What is not to be mended unseen. Of a folder that root has left open, what others have put there would pass
 * for root's own once it is closed.
 *
 * @returns what to do about it
 */
function whyDoubtful(one: OurFile, all: readonly OurFile[]): string | undefined {
  const { file, found } = one
  if (hasOtherNames(one))
    return `It has another name, too, and may be that file: find / -xdev -samefile ${shellQuote(file)}`
  const isOpen = found.isDirectory() && (found.mode & 0o022) !== 0
  if (process.geteuid?.() !== 0 || !isOpen) return undefined
  const [others] = all.filter((other) => path.dirname(other.file) === file && isForeign(other))
  if (!others) return undefined
  return `Others have put files there. Look at them, move them away, and close it: chmod 700 ${shellQuote(file)}`
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

/**
 * Through no link of anyone else's, and to no file that has another name: in a folder that others use they
 * could have laid one out just now.
 */
function setMode({ file, found }: OurFile, mode: number): void {
  const way = found.isDirectory()
    ? checkWay(file)
    : path.join(checkWay(path.dirname(file)), path.basename(file))
  let descriptor: number
  try {
    descriptor = openSync(way, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    // Closed to us, or a socket: so it is no link.
    if (!['EACCES', 'ENXIO', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    return chmodSync(way, mode)
  }
  try {
    if (hasOtherNames({ file, found: fstatSync(descriptor) }))
      throw new Error(`${file} has another name by now`)
    fchmodSync(descriptor, mode)
  } finally {
    closeSync(descriptor)
  }
}
