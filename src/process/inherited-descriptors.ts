import { readdirSync, readFileSync } from 'node:fs'
import { isOpen } from './is-open.ts'

/**
 * FD_CLOEXEC as proc(5) shows it in the flags of /proc/PID/fdinfo/FD: closed when another program is started.
 */
const CLOSE_ON_EXEC = 0o2000000

/** A higher one is not looked for: the list of what a child gets has an entry for each number below. */
const HIGHEST = 65_535

/**
 * The descriptors, beyond the first three, that a child would be given along with what it is meant to have:
 * those that this process was started with. Node.js sees to the lowest sixteen only, and a shell script opens
 * its lock as 200.
 */
export function inheritedDescriptors(): number[] {
  const isLinux = process.platform === 'linux'
  if (process.platform === 'win32') return []
  // The one that the folder is read through is not open any more.
  return readdirSync(isLinux ? '/proc/self/fd' : '/dev/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && descriptor <= HIGHEST && isOpen(descriptor))
    .filter((descriptor) => !isLinux || !isClosedOnExec(descriptor))
}

function isClosedOnExec(descriptor: number): boolean {
  const [, flags = '0'] =
    /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? []
  return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0
}
