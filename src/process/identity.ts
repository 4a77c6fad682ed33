import { readFileSync, readlinkSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import { needProc } from './need-proc.ts'

/**
 * Which process this is, beyond its number: numbers are used again after a reboot, in another container that
 * shares the home folder, or just after enough other processes.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the system's own words; only ever compared. */
  readonly startTime: string
  /** Which boot of which kernel, and on Linux which PID namespace, the number belongs to. */
  readonly bootAndNamespace: string
}

/**
 * Looks a process up. A zombie counts as dead: it runs nothing, its parent is just late to reap it.
 *
 * @returns undefined if no such process is alive
 * @throws ConnectError NO_PROC
 */
export function identify(pid: number): ProcessIdentity | undefined {
  needProc()
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootAndNamespace: bootAndNamespace() }
}

/** Whether the very process that was recorded is alive now. */
export function isAlive(recorded: ProcessIdentity): boolean {
  if (recorded.bootAndNamespace !== bootAndNamespace()) return false
  return identify(recorded.pid)?.startTime === recorded.startTime
}

export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return (
    one.pid === other.pid &&
    one.startTime === other.startTime &&
    one.bootAndNamespace === other.bootAndNamespace
  )
}

/** Whether the machine has not been restarted since; another container of it counts as the same. */
export function isSameBoot(recorded: ProcessIdentity): boolean {
  return recorded.bootAndNamespace.split(' ')[0] === bootAndNamespace().split(' ')[0]
}

/**
 * proc(5): field 22 of /proc/PID/stat, counted after the last `)`, since the name before it
 * may hold anything.
 */
function startTimeFromProc(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  return state === 'Z' || state === 'X' ? undefined : fields[19]
}

function startTimeFromPs(pid: number): string | undefined {
  // Windows has no daemon to find again: there only `connect up` runs, and the lock tells whether it does.
  if (process.platform === 'win32') return exists(pid) ? 'unknown' : undefined
  try {
    const { execFileSync } = process.getBuiltinModule('node:child_process')
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    }).trim()
    const [, state = 'Z', startTime = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
    return state.startsWith('Z') || startTime === '' ? undefined : startTime
  } catch (error) {
    // ps exits 1 when there is no such process.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined
    throw error
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

let cached: string | undefined

function bootAndNamespace(): string {
  cached ??= readBootAndNamespace()
  return cached
}

function readBootAndNamespace(): string {
  needProc()
  if (process.platform === 'linux') {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  }
  if (process.platform === 'darwin') {
    const { execFileSync } = process.getBuiltinModule('node:child_process')
    const options = { encoding: 'utf8', timeout: 5000 } as const
    return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], options).trim()
  }
  return process.platform
}
