import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../errors.ts'
import { shellQuote } from '../text/shell-quote.ts'

/** As many links as Linux follows, see path_resolution(7). */
const MAX_LINKS = 40

/**
 * Follows a path, link by link, and checks that all that it leads through belongs to this user or root:
 * whoever owns a folder or a link can have it lead elsewhere tomorrow.
 *
 * Unlike sshd (StrictModes of sshd_config(5)) it lets folders be writable by others, as Kubernetes makes
 * them: what others put there is theirs, and found out by that.
 *
 * @param file absolute
 * @returns the same without links, as far as it is there
 * @throws ConnectError FILE_UNTRUSTED
 */
export function checkWay(file: string): string {
  if (process.platform === 'win32') return file
  const rest = partsOf(file)
  let links = 0
  let at = '/'
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = path.join(at, name)
    const found = lstatSync(next, { throwIfNoEntry: false })
    if (!found) return path.join(next, ...rest)
    if (!belongsToUs(found)) throw foreign(file, next, found)
    if (!found.isSymbolicLink()) {
      at = next
      continue
    }
    if (++links > MAX_LINKS) throw new ConnectError('FILE_UNTRUSTED', `${file} leads in a circle`)
    const target = readlinkSync(next)
    rest.unshift(...partsOf(target))
    if (path.isAbsolute(target)) at = '/'
  }
  return at
}

/**
 * Checks that nobody but this user and root could have written what a file holds.
 *
 * @param found of the file that was opened by that path
 * @throws ConnectError FILE_UNTRUSTED
 */
export function checkTrusted(file: string, found: Stats): void {
  if (process.platform === 'win32') return
  if (!belongsToUs(found)) throw foreign(file, file, found)
  if ((found.mode & 0o022) !== 0 && !isPrivateGroup(found)) {
    const mode = (found.mode & 0o777).toString(8)
    throw new ConnectError('FILE_UNTRUSTED', `${file} can be changed by other users (mode ${mode})`, {
      hints: [`Run: chmod go-w ${shellQuote(file)}`],
    })
  }
  checkWay(path.resolve(file))
}

export function belongsToUs({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

/**
 * Where each user has a group of their own, of the same number, files are made writable for it (umask 002).
 */
function isPrivateGroup({ mode, uid, gid }: Stats): boolean {
  return (mode & 0o002) === 0 && gid === uid
}

function foreign(file: string, part: string, { uid }: Stats): ConnectError {
  const whose = `belongs to another user (number ${uid})`
  const what =
    part === file ? `${file} ${whose}` : `${file} is not trusted: ${part} on the way to it ${whose}`
  return new ConnectError('FILE_UNTRUSTED', what, { hints: hintsOnOwner(part), fix: fixOfOwner(part) })
}

/** What to do about a file or folder that belongs to another user. */
export function hintsOnOwner(file: string): string[] {
  return [
    process.geteuid?.() === 0
      ? 'Run it as that user, without sudo. Or, if it is meant to be root’s:'
      : 'Name one of your own. Or, if it is meant to be yours:',
    `  ${chown(file)}`,
  ]
}

/** The same in a sentence. */
function fixOfOwner(file: string): string {
  return `If it is meant to be this user’s, run: ${chown(file)}`
}

function chown(file: string): string {
  return `sudo chown ${process.geteuid?.()} ${shellQuote(file)}`
}

function partsOf(file: string): string[] {
  return file.split('/').filter((name) => name !== '' && name !== '.')
}
