import path from 'node:path'
import { realPathIfThere } from '../../files/real-path.ts'
import { tilde } from '../../text/tilde.ts'
import type { Daemon } from '../platform.ts'

/** macOS asks the user before a program may look into these, and launchd can't ask. */
const PROTECTED = ['Documents', 'Desktop', 'Downloads']

/**
 * Something that the daemon needs and launchd may be kept from.
 *
 * @returns a sentence that says what to do; undefined if there is none
 */
export function warnOfProtected({ command, logFile }: Daemon, home: string): string | undefined {
  const [node, script, ...args] = command
  const files = [node, script, logFile, ...args].filter((it) => it !== undefined && path.isAbsolute(it))
  for (const file of files) {
    const folder = protectedAbove(file!, home)
    if (folder === undefined) continue
    return `${tilde(file!)} lies in ${tilde(folder)}, which macOS keeps background programs out of: move it elsewhere, or allow ${node} under System Settings › Privacy & Security › Full Disk Access`
  }
  return undefined
}

function protectedAbove(file: string, home: string): string | undefined {
  const folders = PROTECTED.map((name) => path.join(home, name))
  const real = realPathIfThere(file) ?? file
  return folders.find((folder) => [file, real].some((it) => it.startsWith(folder + path.sep)))
}
