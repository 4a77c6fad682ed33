import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { GRACE_PERIOD_MS } from './grace-period.ts'

/** A child that was started `detached`: it leads a group that has its number. */
interface Leader {
  readonly pid?: number | undefined
  readonly exitCode: number | null
  readonly signalCode: NodeJS.Signals | null
}

/** How long the kernel may take after SIGKILL, in ms. */
const KILL_TIMEOUT_MS = 5000

/** How long a group may take to end by itself once a user has said that it should, in ms. */
const INTERRUPTED_GRACE_MS = 1000

/** Each of these ends this process, and a group of its own would not hear of it. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

/**
 * Ends a child that was started `detached`, and all that it has started: SIGTERM, then SIGKILL. What has
 * left the group by itself (setsid(2)) is not reached.
 *
 * @param graceMs how long SIGTERM may take, default GRACE_PERIOD_MS
 */
export async function endGroup(leader: Leader, graceMs = GRACE_PERIOD_MS): Promise<void> {
  const { pid } = leader
  if (pid === undefined) return
  const gone = () => (hasMembers(pid) ? undefined : true)
  signalGroup(leader, 'SIGTERM')
  if (await waitFor(gone, { timeoutMs: graceMs })) return
  signalGroup(leader, 'SIGKILL')
  await waitFor(gone, { timeoutMs: KILL_TIMEOUT_MS })
}

/** What ends a group with this process. */
interface EndsWithUs {
  /** Set once it is started. */
  leader?: Leader
  /** Set once a signal came; settles only if this process outlives it. */
  ending?: Promise<void>
  /** Stops listening. */
  stop(): void
}

/**
 * Has a signal that ends this process end the group of a child first; the second one by SIGKILL, at once.
 * Called before there is one: a signal in between would leave that alone.
 */
export function endGroupWithUs(): EndsWithUs {
  const listening: EndsWithUs = {
    stop() {
      for (const signal of ENDING) process.off(signal, onSignal)
    },
  }
  const end = async (signal: NodeJS.Signals) => {
    if (listening.leader) await endGroup(listening.leader, INTERRUPTED_GRACE_MS)
    listening.stop()
    process.kill(process.pid, signal)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (!listening.ending) listening.ending = end(signal)
    else if (listening.leader) signalGroup(listening.leader, 'SIGKILL')
  }
  for (const signal of ENDING) process.on(signal, onSignal)
  return listening
}

/** A group's number is given to nobody else while a member lives (fork(2)). */
function signalGroup(leader: Leader, signal: NodeJS.Signals): void {
  const { pid, exitCode, signalCode } = leader
  const hasEnded = exitCode !== null || signalCode !== null
  // A stranger has come to its number since, so nobody is left of the group.
  if (pid === undefined || (hasEnded && isThere(pid))) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // ESRCH: all have ended. EPERM: what is left runs as another user.
    if (!['ESRCH', 'EPERM'].includes(codeOf(error) ?? '')) throw error
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/**
 * Ends what is left of a group whose leader is gone, by SIGKILL: the children of a process that was started
 * in a session of its own. The group's number is not given to another process while a member lives (fork(2));
 * a leader that lives now is a stranger that came to the number since.
 *
 * @returns how many were sent it: they may live for another moment
 */
export function killOrphans(leader: number): number {
  const members = membersOf(leader)
  if (members.includes(leader)) return 0
  let killed = 0
  for (const pid of members) {
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch (error) {
      // ESRCH: it has ended by itself. EPERM: it runs as another user, so it is not ours to end.
      if (!['ESRCH', 'EPERM'].includes(codeOf(error) ?? '')) throw error
    }
  }
  return killed
}

/** Whether anybody of a group lives. Without /proc, one that nobody has waited for counts too. */
function hasMembers(group: number): boolean {
  try {
    process.kill(-group, 0)
  } catch {
    // ESRCH: nobody is left. EPERM: nobody that is ours to end.
    return false
  }
  if (process.platform === 'linux' && !existsSync('/proc/self')) return true
  return membersOf(group).length > 0
}

function membersOf(group: number): number[] {
  return process.platform === 'linux' ? membersFromProc(group) : membersFromPs(group)
}

/** proc(5): field 3 of /proc/PID/stat is the state and field 5 the group, counted after the last `)`. */
function membersFromProc(group: number): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(pgrp) === group && state !== 'Z' && state !== 'X' ? [Number(entry)] : []
    } catch {
      // The process ended meanwhile, or /proc hides it because it is another user's.
      return []
    }
  })
}

function membersFromPs(group: number): number[] {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const output = execFileSync('ps', ['-axo', 'pid=,pgid=,stat='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    timeout: 5000,
  })
  return output.split('\n').flatMap((line) => {
    const [pid, pgid, state = 'Z'] = line.trim().split(/\s+/)
    return Number(pgid) === group && !state.startsWith('Z') ? [Number(pid)] : []
  })
}
