import path from 'node:path'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { ConnectError } from '../errors.ts'
import { isSameFile, statOf } from '../files/is-same-file.ts'
import { isLocked } from '../files/lock.ts'
import { isAlive } from '../process/identity.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { namesAProcess, readProcessRecord, type InstanceProcess } from './process-record.ts'
import { identityOf } from './client.ts'

/** What is found of the process of an instance. */
export type FoundProcess =
  | { readonly state: 'none' }
  /** None runs, but the files name one: it is gone, or another process has its number now. */
  | { readonly state: 'stale' }
  | {
      readonly state: 'running'
      readonly agent: InstanceProcess
      /** The folder that it waits for, and works in once it is there; undefined if it works. */
      readonly waitsFor?: string
    }
  /** One holds the lock, but nothing tells which process it is. */
  | { readonly state: 'unknown'; readonly reason: string }

/** How long it may take between taking its lock and saying who it is, or back; in ms. */
const SETTLE_MS = 2000

function elsewhere(instance: Instance): string {
  const { process, scope } = wordsOf(instance)
  return `The ${process} of this ${scope} runs in another container or PID namespace`
}

function nameless(instance: Instance): string {
  const { anyone, scope } = wordsOf(instance)
  return `${anyone} holds this ${scope}, but does not say which process it is`
}

/**
 * Looks for the instance's process: by its record, held against the process table, and by the lock that it
 * holds for as long as it lives; where one may wait, by the record and lock for that. Changes nothing.
 *
 * @throws ConnectError CONFIG_UNREADABLE
 */
export async function findProcess(instance: Instance): Promise<FoundProcess> {
  // Looked for first: one that ceases to wait is found in the other place by then.
  const away = instance.waiting && (await findIn(instance.waiting))
  const here = await findIn(instance)
  if (here.state === 'running' || here.state === 'unknown' || !away || away.state === 'none') return here
  if (away.state !== 'running') return away
  return { ...away, waitsFor: path.dirname(away.agent.configFile) }
}

async function findIn(instance: Instance): Promise<FoundProcess> {
  const found = await waitFor(() => look(instance), { timeoutMs: SETTLE_MS })
  if (found) return found
  const record = readProcessRecord(instance)
  const isElsewhere = record && !record.end && !isAlive(record)
  return { state: 'unknown', reason: isElsewhere ? elsewhere(instance) : nameless(instance) }
}

async function look(instance: Instance): Promise<FoundProcess | undefined> {
  const record = readProcessRecord(instance)
  if (record && !record.end && isAlive(record)) {
    // One that names another main file is ours if this folder was moved or linked, and not if
    // it was copied.
    const isOurs =
      record.configFile === instance.mainFile ||
      (!isAnotherFile(record.configFile, instance.mainFile) && (await isLocked(instance.lockFile)))
    if (isOurs) return { state: 'running', agent: record }
  }
  if (!(await isLocked(instance.lockFile))) {
    return namesAProcess(instance) ? { state: 'stale' } : { state: 'none' }
  }
  const agent = await ask(instance)
  if (!agent) return undefined
  return isAlive(agent) ? { state: 'running', agent } : { state: 'unknown', reason: elsewhere(instance) }
}

/** The folder that a process waits for; null if it does not, or none runs. */
export function folderAwaited(found: FoundProcess): string | null {
  return (found.state === 'running' && found.waitsFor) || null
}

/** Whether both names are of files, and not of the same one: what is gone tells nothing. */
function isAnotherFile(one: string, other: string): boolean {
  const areThere = [one, other].every((file) => statOf(file) !== undefined)
  return areThere && !isSameFile(one, other)
}

/** Asks one whose record is gone or damaged: it may still say on its socket who it is. */
async function ask(instance: Instance): Promise<InstanceProcess | undefined> {
  try {
    return await identityOf(instance, SETTLE_MS / 2)
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

/** @param reason see FoundProcess */
export function processElsewhere(instance: Instance, reason: string): ConnectError {
  return new ConnectError(wordsOf(instance).errors.elsewhere, reason)
}
