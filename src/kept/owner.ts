import { randomBytes } from 'node:crypto'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { tryInstanceLock } from '../control/instance-lock.ts'
import {
  ownIdentity,
  writeProcessRecord,
  type InstanceProcess,
  type ProcessRecord,
} from '../control/process-record.ts'
import type { FileLock } from '../files/lock.ts'
import type { Log } from '../log/log.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { anotherRuns } from './another.ts'
import { runWork, type Work } from './work.ts'

export interface OwnerOptions {
  readonly instance: Instance
  readonly version: string
  readonly log: Log
  readonly mode: InstanceProcess['mode']
  /** Wait for as long as another one runs: whoever keeps this process alive would only start it again. */
  readonly waitForOthers: boolean
  /** The lock is held: this process alone owns the instance now, and has said so in its record. */
  readonly onOwner?: (record: ProcessRecord) => void
  /** Called now and then. */
  readonly onUpkeep?: () => void
  /** How often it looks after its files, in ms; default 1,000. */
  readonly upkeepMs?: number
}

/** How long a command may have the lock, in ms. */
const BRIEF_LOCK_MS = 2000

/**
 * Owns an instance until the signal says stop: holds its lock, has its record, looks after both, and writes
 * down how it ended.
 *
 * @param options.needs files without which it could never be started again, beside the program
 * @param signal its reason is the name of the signal that said stop
 * @throws ConnectError AGENT_RUNNING or HUB_RUNNING if another one runs, PROGRAM_GONE; what the work throws
 */
export async function runOwner(
  options: OwnerOptions & { readonly needs?: readonly string[] },
  signal: AbortSignal,
  begin: (identity: InstanceProcess) => Promise<Work>,
): Promise<void> {
  const { instance, log, needs = [], onOwner, onUpkeep: onTick, upkeepMs: everyMs } = options
  const lock = await waitForLock(options, signal)
  if (signal.aborted) return lock?.release()
  if (!lock) throw anotherRuns(instance)
  try {
    const identity = newIdentity(options)
    const record = writeProcessRecord(instance, identity)
    onOwner?.(record)
    await runWork({ instance, log, record, lock, needs, everyMs, onTick }, signal, () => begin(identity))
  } finally {
    lock.release()
  }
}

function newIdentity({ instance, mode, version }: OwnerOptions): InstanceProcess {
  return {
    ...ownIdentity(),
    nonce: randomBytes(8).toString('hex'),
    mode,
    version,
    startedAt: new Date().toISOString(),
    configFile: instance.mainFile,
  }
}

/**
 * A command holds the lock for a moment while it edits the instance's files; another owner holds it for as
 * long as it runs.
 */
async function waitForLock(
  { instance, log, waitForOthers }: OwnerOptions,
  signal: AbortSignal,
): Promise<FileLock | undefined> {
  const ask = () => tryInstanceLock(instance)
  const soon = await waitFor(ask, { timeoutMs: BRIEF_LOCK_MS, signal })
  if (soon || !waitForOthers) return soon
  log(`Waiting for ${wordsOf(instance).another(instance.mainFile)} to end`, 'warn')
  return waitFor(ask, { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 1000, signal })
}
