import { realPathIfThere } from '../../../files/real-path.ts'
import { signalName } from '../../../process/signal-name.ts'
import type { PlatformStatus } from '../../platform.ts'
import type { JobNames } from './names.ts'

/**
 * What `launchctl print` says of a job. Its form is no promise (launchctl(1)): what can't be read
 * is not known.
 */
export interface JobState {
  /** launchd's own word: `running`, `not running`, `spawn scheduled`, … */
  readonly state: string
  readonly pid: number | undefined
  /** How often the job was started since launchd has it; undefined where that isn't told. */
  readonly runs: number | undefined
  /** How its last process ended; undefined if none has, or it can't be read. */
  readonly exit: { readonly by: 'code' | 'signal'; readonly number: number } | undefined
  /** Why its process was started: `inefficient` is a restart after a crash. */
  readonly startReason: string | undefined
  /** The plist that launchd has read it from; undefined where that isn't told. */
  readonly path: string | undefined
  /**
   * The mark of that plist, see definition.ts, or that it has none; undefined where the job's
   * environment isn't told.
   */
  readonly definition: { readonly mark: string | undefined } | undefined
}

/**
 * Whether launchd has read this plist, and not another one. Where it doesn't tell the job's environment, the
 * path is all that there is to go by.
 */
export function isReadFrom({ path, definition }: JobState, file: string, mark: string | undefined): boolean {
  if (definition) return definition.mark === mark
  return path === undefined || path === file || realPathIfThere(path) === realPathIfThere(file)
}

/** A block of lines that stand deeper. */
const OPENS = /^\t([^\t].*) = \{$/

/**
 * Only a line with exactly one tab tells of the job: below it stand its parts, which have states
 * of their own.
 */
const FIELD = /^\t(path|state|pid|runs|immediate reason|last exit code|last terminating signal) = (.*)$/

const VARIABLE = /^\t\t(\w+) => (.*)$/

/** @returns undefined if the text is not the whole of what is printed for this label, or makes no sense */
export function parseJobState(text: string, label: string): JobState | undefined {
  const [header = '', ...lines] = text.trimEnd().split('\n')
  const name = /^(\S+) = \{$/.exec(header)?.[1]
  // Before macOS 10.15 the domain is missing.
  if (name !== label && !name?.endsWith(`/${label}`)) return undefined
  if (lines.pop() !== '}') return undefined
  const read = readLines(lines)
  if (!read) return undefined
  const { fields, variables } = read
  const [state, pid, runs] = [fields.get('state'), fields.get('pid'), fields.get('runs')].map((it) =>
    it?.trim(),
  )
  if (!state || !isCount(pid) || !isCount(runs)) return undefined
  return {
    state,
    pid: pid === undefined || pid === '0' ? undefined : Number(pid),
    runs: runs === undefined ? undefined : Number(runs),
    exit: exitOf(fields),
    startReason: fields.get('immediate reason'),
    path: fields.get('path'),
    definition: variables && { mark: variables.get('CONNECT_DEFINITION') },
  }
}

function readLines(
  lines: readonly string[],
): { fields: ReadonlyMap<string, string>; variables: ReadonlyMap<string, string> | undefined } | undefined {
  const fields = new Map<string, string>()
  let variables: Map<string, string> | undefined
  let block: string | undefined
  for (const line of lines) {
    if (block !== undefined) {
      const [, name, value] = VARIABLE.exec(line) ?? []
      if (line === '\t}') block = undefined
      else if (block === 'environment' && name !== undefined) variables?.set(name, value!)
      continue
    }
    block = OPENS.exec(line)?.[1]
    if (block === 'environment') variables ??= new Map()
    const [, name, value] = block === undefined ? (FIELD.exec(line) ?? []) : []
    if (name === undefined) continue
    // A field that is told twice, and differently, is not known.
    if (fields.has(name) && fields.get(name) !== value) return undefined
    fields.set(name, value!)
  }
  return block === undefined ? { fields, variables } : undefined
}

function isCount(text: string | undefined): boolean {
  return text === undefined || /^\d{1,10}$/.test(text)
}

/** `last terminating signal = Killed: 9` stands in the place of `last exit code = 78: EX_CONFIG`. */
function exitOf(fields: ReadonlyMap<string, string>): JobState['exit'] {
  const signal = /: (\d{1,2})$/.exec(fields.get('last terminating signal') ?? '')?.[1]
  if (signal !== undefined) return { by: 'signal', number: Number(signal) }
  const code = /^(\d{1,3})(:|$)/.exec(fields.get('last exit code') ?? '')?.[1]
  return code === undefined ? undefined : { by: 'code', number: Number(code) }
}

/**
 * sysexits(3), EX_CONFIG: what launchd itself says when it can't run a program. Our agent ends
 * with 0 instead.
 */
export const CANNOT_RUN = 78

/** Words for a process that is there, or is just coming. */
const STARTING = ['xpcproxy', 'spawning']
const DOWN = ['not running', 'exited', 'waiting']

/** What launchd says of a job, in our words. */
export function stateOf(
  job: JobState,
  { words }: Pick<JobNames, 'words'>,
): Pick<PlatformStatus, 'state' | 'reason'> {
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
    const reason = `launchd has it, and has never started it. Run: ${words.command} restart`
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

/** How a job ended that is not started again: with 0, an agent says that only a human can help. */
export function describeLastEnd(job: JobState): string {
  const asked = job.exit && isClean(job.exit) ? ', by which it asks not to be started again' : ''
  return `${describeEnd(job)}${asked}`
}

/** @param ageMs how long the process has run; undefined while its agent has not written a record yet */
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
