import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Kept back for what is no connection: about 30 are open from the start, and files, locks and the
 * link need some.
 */
const RESERVE = 64

/**
 * How many file descriptors this process may have: `ulimit -n`, which Node.js has raised as far as it may.
 *
 * @returns Infinity where there is no limit, or none that can be read
 */
export function descriptorLimit(): number {
  try {
    const limit = process.platform === 'linux' ? limitFromProc() : limitFromShell()
    return /^\d+$/.test(limit) ? Number(limit) : Number.POSITIVE_INFINITY
  } catch {
    // Then the kernel refuses what is too much, and nothing is known before.
    return Number.POSITIVE_INFINITY
  }
}

/** How many connections fit beside all else that needs a descriptor; at least one. */
export function connectionLimit(descriptors = descriptorLimit()): number {
  return Math.max(1, descriptors - RESERVE)
}

/** For whoever is refused, or reads the log. @param descriptors default what there is beside the reserve */
export function describeConnectionLimit(connections: number, descriptors = connections + RESERVE): string {
  const are = connections === 1 ? 'is' : 'are'
  return `${connections} ${are} open, as many as "ulimit -n" leaves room for (${descriptors})`
}

/** proc(5): `Max open files  1024  4096  files`, soft and hard. */
function limitFromProc(): string {
  return /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? ''
}

function limitFromShell(): string {
  if (process.platform === 'win32') return ''
  return execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8', timeout: 5000 }).trim()
}
