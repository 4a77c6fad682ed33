import { signalName } from '../../process/signal-name.ts'
import type { PlatformStatus } from '../platform.ts'
import type { JobState } from './state.ts'

/** sysexits(3), EX_CONFIG: what launchd itself says when it can't run a program. Our agent ends with 0 instead. */
export const CANNOT_RUN = 78

/** Words for a process that is there, or is just coming. */
const STARTING = ['xpcproxy', 'spawning']
const DOWN = ['not running', 'exited', 'waiting']

/** What launchd says of a job, in our words. */
export function stateOf(job: JobState): Pick<PlatformStatus, 'state' | 'reason'> {
  const { state, pid, runs, exit } = job
  if (state === 'running')
    return pid === undefined
      ? unknown('launchd calls it running, and names no process')
      : { state: 'running' }
  if (/^SIG[A-Z]+ed$/.test(state)) return { state: 'stopping' }
  if (STARTING.includes(state)) return { state: 'starting' }
  if (state === 'spawn scheduled' || (state === 'waiting' && exit && !isClean(exit))) {
    if (!exit && (runs ?? 0) === 0) return { state: 'starting' }
    return {
      state: 'restarting',
      reason: `It ended, and launchd starts it again: ${describeEnd(job)}${times(runs)}`,
    }
  }
  if (!DOWN.includes(state)) return unknown(`launchd says: ${state}`)
  if (!exit) {
    const reason = 'launchd has it, and has never started it. Run: connect daemon restart'
    return { state: 'stopped', ...((runs ?? 0) === 0 && { reason }) }
  }
  return { state: 'stopped', reason: `It stays down: ${describeLastEnd(job)}` }
}

/** @returns `Process exited with code 1` and the like */
export function describeEnd({ exit }: JobState): string {
  if (!exit) return 'launchd does not say how it ended'
  if (exit.by === 'signal') return `Process was ended by ${signalName(exit.number)}`
  if (exit.number === CANNOT_RUN) return `launchd could not run it (${CANNOT_RUN}: EX_CONFIG)`
  return `Process exited with code ${exit.number}`
}

/** Of one that is not started again: 0 is what an agent ends with when only a human can help. */
export function describeLastEnd(job: JobState): string {
  const asked = job.exit && isClean(job.exit) ? ', by which it asks not to be started again' : ''
  return `${describeEnd(job)}${asked}`
}

/** @param ageMs since when its process runs; undefined if it has not come to say so yet */
export function isCrashLooping({ state, exit, startReason }: JobState, ageMs: number | undefined): boolean {
  const isYoung = ageMs === undefined || ageMs < 20_000
  return (
    state === 'running' && startReason === 'inefficient' && isYoung && exit !== undefined && !isClean(exit)
  )
}

function isClean({ by, number }: NonNullable<JobState['exit']>): boolean {
  return by === 'code' && number === 0
}

function times(runs: number | undefined): string {
  if (runs === undefined || runs < 2) return ''
  return `, started ${runs} times so far`
}

function unknown(reason: string): Pick<PlatformStatus, 'state' | 'reason'> {
  return { state: 'unknown', reason }
}
