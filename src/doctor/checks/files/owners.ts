import { lchownSync, statSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../../errors.ts'
import { checkWay } from '../../../files/trust.ts'
import { counted } from '../../../text/counted.ts'
import { shellQuote } from '../../../text/shell-quote.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { hasOtherNames, ourFiles, type OurFile } from './our-files.ts'

/** A command that was run with sudo leaves files that its user can't read, or write over. */
export const owners: Check<DoctorContext> = {
  name: 'owners',
  group: 'files',
  title: 'Owners of our files',
  async run(patient) {
    const me = process.geteuid?.()
    if (me === undefined) return { state: 'skipped', seen: 'This system has no such owners' }
    const all = ourFiles(patient)
    const foreign = all.filter(isForeign)
    if (foreign.length === 0)
      return { state: 'ok', seen: all.length === 0 ? 'There are none yet' : 'All are this user’s' }
    const [{ file, found }] = foreign as [OurFile]
    const more = foreign.length === 1 ? '' : `, and so ${counted(foreign.length - 1, 'does', 'do')} more`
    const mine = me === 0 ? foreign.filter((one) => !hasOtherNames(one) && isWhereOnlyRootWrites(one)) : []
    return {
      state: 'failed',
      seen: `${tilde(file)} belongs to another user (number ${found.uid})${more}`,
      fix: fixOf(me === 0 ? mine : foreign, me),
      // Only root may, and only where nobody else could have put it there: what is root’s is believed.
      ...(mine.length > 0 && { mend: async () => take(mine) }),
    }
  },
}

export function isForeign({ found }: OurFile): boolean {
  return process.geteuid !== undefined && found.uid !== process.geteuid()
}

function isWhereOnlyRootWrites({ file }: OurFile): boolean {
  try {
    const { uid, mode } = statSync(checkWay(path.dirname(file)))
    return uid === 0 && (mode & 0o022) === 0
  } catch (error) {
    // It is on a way that another user could have lead elsewhere.
    if (error instanceof ConnectError) return false
    throw error
  }
}

function fixOf(foreign: readonly OurFile[], me: number): string {
  if (foreign.length === 0) return 'Run it as the user whose files these are, without sudo: connect doctor'
  const few = foreign.slice(0, 5).map(({ file }) => shellQuote(file))
  const more = foreign.length > few.length ? ' (and the others in the same way)' : ''
  return `Run: sudo chown -h ${me} ${few.join(' ')}${more}`
}

/** Not by links, which could lead anywhere. */
function take(foreign: readonly OurFile[]): string {
  for (const { file } of foreign) lchownSync(file, 0, 0)
  return `${counted(foreign.length, 'file is', 'files are')} root’s again`
}
