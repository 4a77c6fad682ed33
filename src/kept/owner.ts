import { randomBytes } from 'node:crypto'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { noteOwnEnd } from '../control/agent-end.ts'
import { tryAgentLock } from '../control/agent-lock.ts'
import {
  ownIdentity,
  readAgentRecord,
  writeAgentRecord,
  type AgentEnd,
  type AgentIdentity,
  type AgentRecord,
} from '../control/agent-record.ts'
import { messageOf, type ConnectError } from '../errors.ts'
import { isFatal } from '../fatal-errors.ts'
import type { FileLock } from '../files/lock.ts'
import type { Log } from '../log/log.ts'
import { isAlive } from '../process/identity.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { anotherRuns } from './another.ts'
import { keptExitCode } from './exit-code.ts'
import { startHousekeeping } from './housekeeping.ts'

export interface OwnerOptions {
  readonly instance: Instance
  readonly version: string
  readonly log: Log
  readonly mode: AgentIdentity['mode']
  /** Wait for as long as another one runs: whoever keeps this process alive would only start it again. */
  readonly waitForOthers: boolean
  /** The lock is held: this process alone owns the instance now, and has said so in its record. */
  readonly onOwner?: (record: AgentRecord) => void
  /** Called now and then. */
  readonly onUpkeep?: () => void
  /** How often it looks after its files, in ms; default 1,000. */
  readonly upkeepMs?: number
}

/** What the owner of an instance does, once it has begun. */
export interface Work {
  /** Looks after what it holds, now and then. @throws ConnectError what is told, and tried again */
  hold(): Promise<void>
  /** Until the signal says stop. */
  run(signal: AbortSignal): Promise<void>
  /** Called in any case, last. */
  close(): Promise<void>
}

/** How long a command may have the lock, in ms. */
const BRIEF_LOCK_MS = 2000

/**
 * Owns an instance until the signal says stop: holds its lock, has its record, looks after both, and writes
 * down how it ended.
 *
 * @param signal its reason is the name of the signal that said stop
 * @param needs files without which it could never be started again, beside the program
 * @throws ConnectError AGENT_RUNNING or HUB_RUNNING if another one runs, PROGRAM_GONE; what the work throws
 */
export async function runOwner(
  options: OwnerOptions & { readonly needs?: readonly string[] },
  signal: AbortSignal,
  begin: (identity: AgentIdentity) => Promise<Work>,
): Promise<void> {
  const { instance } = options
  const lock = await waitForLock(options, signal)
  if (signal.aborted) return lock?.release()
  if (!lock) throw anotherRuns(instance)
  try {
    const identity = newIdentity(options)
    const record = writeAgentRecord(instance, identity)
    options.onOwner?.(record)
    await runRecorded(record, options, lock, signal, () => begin(identity))
  } finally {
    lock.release()
  }
}

function newIdentity({ instance, mode, version }: OwnerOptions): AgentIdentity {
  return {
    ...ownIdentity(),
    nonce: randomBytes(8).toString('hex'),
    mode,
    version,
    startedAt: new Date().toISOString(),
    configFile: instance.mainFile,
  }
}

/** With the lock held, so that nobody else writes the instance's files. */
async function runRecorded(
  record: AgentRecord,
  options: Parameters<typeof runOwner>[0],
  lock: FileLock,
  signal: AbortSignal,
  begin: () => Promise<Work>,
): Promise<void> {
  const { instance, log } = options
  try {
    await work(record, options, lock, signal, begin)
    const name = String(signal.reason)
    noteEnd(instance, log, { reason: `stopped by ${name}`, code: null, signal: name, fix: null })
  } catch (error) {
    const fix = isFatal(error) ? ((error as ConnectError).hints[0] ?? null) : null
    noteEnd(instance, log, { reason: messageOf(error), code: keptExitCode(error), signal: null, fix })
    throw error
  }
}

async function work(
  record: AgentRecord,
  options: Parameters<typeof runOwner>[0],
  lock: FileLock,
  signal: AbortSignal,
  begin: () => Promise<Work>,
): Promise<void> {
  const { instance, log } = options
  const begun = await begin()
  const hold = async () => {
    if (!(await lock.look())) refuseAnother(instance)
    await begun.hold()
  }
  const { needs = [], upkeepMs: everyMs, onUpkeep: onTick } = options
  const housekeeping = startHousekeeping({ instance, record, log, needs, everyMs, hold, onTick })
  adaptToLoad()
  try {
    await begun.run(AbortSignal.any([signal, housekeeping.givenUp]))
    if (!signal.aborted) housekeeping.givenUp.throwIfAborted()
  } finally {
    housekeeping.stop()
    await begun.close()
  }
}

/**
 * Someone deleted the lock's file, and another process has locked the new one: a command, for a moment,
 * or another owner.
 *
 * @throws ConnectError AGENT_RUNNING, HUB_RUNNING
 */
function refuseAnother(instance: Instance): void {
  const other = recordedOther(instance)
  if (!other) return
  const { kind, lockFile } = instance
  throw anotherRuns(instance, `${lockFile} was deleted, and another ${kind} has begun (PID: ${other.pid})`)
}

/** Another process that lives, and whose the record is. */
function recordedOther(instance: Instance): AgentRecord | undefined {
  const record = readAgentRecord(instance)
  const isOther = record && !record.end && record.pid !== process.pid && isAlive(record)
  return isOther ? record : undefined
}

/** For `status`. A full disk costs this note, and not the good order of the end. */
function noteEnd(instance: Instance, log: Log, end: Omit<AgentEnd, 'at'>): void {
  try {
    if (!recordedOther(instance)) noteOwnEnd(instance, end)
  } catch (error) {
    log(`[!] ${messageOf(error)}`, 'warn')
  }
}

/**
 * A command holds the lock for a moment while it edits the instance's files; another owner holds it for as
 * long as it runs.
 */
async function waitForLock(options: OwnerOptions, signal: AbortSignal): Promise<FileLock | undefined> {
  const ask = () => tryAgentLock(options.instance)
  const soon = await waitFor(ask, { timeoutMs: BRIEF_LOCK_MS, signal })
  if (soon || !options.waitForOthers) return soon
  const { instance, log } = options
  log(`Waiting for ${wordsOf(instance).another(instance.folder)} to end`, 'warn')
  return waitFor(ask, { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 1000, signal })
}
