import { lstatSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../../errors.ts'
import { realPathIfThere } from '../../../files/real-path.ts'
import { describeResult, type RunResult } from '../../../process/run.ts'
import { shellQuote } from '../../../text/shell-quote.ts'
import { tilde } from '../../../text/tilde.ts'
import type { JobNames } from './names.ts'

/** launchd did not take a plist. */
export interface BootstrapFailure {
  readonly result: RunResult
  readonly domain: string
  /** The plist may be taken in another domain. */
  readonly isNoDomain: boolean
  readonly isDisabled?: boolean
  /** Why it can't be seen whether launchd has taken the plist. */
  readonly doubt?: string
}

function again({ words }: JobNames): string {
  return `then: ${words.command} install`
}

/**
 * By what stands in the way: most causes have the same number, 5, and launchctl’s own advice is to
 * try as root.
 */
export function bootstrapError(refusal: BootstrapFailure, names: JobNames): ConnectError {
  const { result, domain, isNoDomain, isDisabled, doubt } = refusal
  const { label, folder, file, home, words } = names
  if (isNoDomain) return noDomainError(names)
  if (doubt !== undefined) return unknownStateError(doubt)
  if (isDisabled) {
    return failed('macOS is told not to run it in the background', [
      `Allow it in System Settings › General › Login Items & Extensions, ${again(names)}`,
    ])
  }
  const foreign = [folder, file].find((it) => isForeign(it))
  if (foreign !== undefined) return notYoursError(foreign, names)
  if (isOnOtherVolume(home)) {
    return failed(`launchd runs nothing from a home folder on another disk (${home})`, [
      `Run it as a background process instead: CONNECT_PLATFORM=background ${words.command} start`,
    ])
  }
  const saidYes = result.outcome === 'exited' && result.code === 0
  const why = saidYes ? 'said yes, but launchd does not have it' : describeResult(result)
  return failed(`launchctl bootstrap ${domain} ${tilde(file)} ${why}`, [
    `See whether the file is well: plutil -lint ${tilde(file)}`,
    `If it is, log out and in again, ${again(names)} (launchd calls it ${label})`,
  ])
}

/** What launchd answers can't be read, or does not come. */
export function unknownStateError(why: string): ConnectError {
  return failed(why, ['Try again; if it stays so, log out and in again, or restart the Mac.'])
}

export function noDomainError(names: JobNames): ConnectError {
  return failed('launchd knows no login of yours: neither at the screen nor by ssh', [
    `Log in at the screen, or by ssh and not by su or sudo, ${again(names)}`,
  ])
}

/** launchd takes no plist that someone else could have changed. */
export function notYoursError(file: string, { words }: JobNames): ConnectError {
  const message = `${tilde(file)} belongs to another user, or others may write to it`
  return new ConnectError('WRITE_FAILED', message, {
    hints: [
      `Run: sudo chown "$USER" ${shellQuote(file)} && chmod go-w ${shellQuote(file)}`,
      `Then: ${words.command} install`,
    ],
  })
}

export function isForeign(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (!found || found.isSymbolicLink()) return false
  return found.uid !== process.getuid?.() || (found.isFile() && (found.mode & 0o022) !== 0)
}

/** Where macOS mounts all disks but its own. */
function isOnOtherVolume(folder: string): boolean {
  return (realPathIfThere(folder) ?? folder).startsWith(`${path.sep}Volumes${path.sep}`)
}

function failed(message: string, hints: readonly string[]): ConnectError {
  return new ConnectError('SERVICE_MANAGER_FAILED', message, { hints })
}
