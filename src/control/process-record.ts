import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { readText } from '../files/read-text.ts'
import { removeFile } from '../files/remove-file.ts'
import { checkTrusted } from '../files/trust.ts'
import { identify, isSameBoot, isSameProcess } from '../process/identity.ts'

/** How an agent, or a hub, came to its end. */
export const ProcessEnd = v.object({
  /** RFC 3339; null if nobody saw it. */
  at: v.nullable(v.string()),
  /** One sentence without a full stop. */
  reason: v.string(),
  code: v.nullable(v.number()),
  signal: v.nullable(v.string()),
  /** What to do about it; null if it need only be started again. */
  fix: v.nullable(v.string()),
})
export type ProcessEnd = v.InferOutput<typeof ProcessEnd>

const Identity = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  startTime: v.string(),
  bootAndNamespace: v.string(),
  /** Random: tells two processes apart that nothing else does. */
  nonce: v.string(),
  /** `daemon` is kept alive by a platform, `foreground` runs in someone's terminal. */
  mode: v.picklist(['daemon', 'foreground']),
  version: v.string(),
  startedAt: v.string(),
  /** Absolute: the instance's main file, an agent's config or a hub's database. */
  configFile: v.string(),
  /** The Node.js and the script that it was started with. */
  node: v.string(),
  script: v.string(),
})

/** An agent that was started before `world` got its present name may still run. */
function withPresentNames(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('world' in value)) return value
  return { bootAndNamespace: value.world, ...value }
}

/** What the process of an instance says of itself, in a file beside the plain PID file and on its socket. */
export const InstanceProcess = v.pipe(v.unknown(), v.transform(withPresentNames), Identity)
export type InstanceProcess = v.InferOutput<typeof InstanceProcess>

const ProcessRecord = v.pipe(
  v.unknown(),
  v.transform(withPresentNames),
  v.object({
    ...Identity.entries,
    /** Set once it has ended, by itself or by whoever found that it was gone. */
    end: v.optional(ProcessEnd),
    /** How the one before it ended. */
    previousEnd: v.optional(ProcessEnd),
  }),
)
export type ProcessRecord = v.InferOutput<typeof ProcessRecord>

/**
 * @returns undefined if there is no record, or one that makes no sense: whoever holds the lock writes
 * a new one
 */
export function readProcessRecord({ recordFile }: Pick<Instance, 'recordFile'>): ProcessRecord | undefined {
  const text = readIfThere(recordFile)
  if (text === undefined) return undefined
  try {
    return v.parse(ProcessRecord, JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Whether the files name a process that has not said that it ended. */
export function namesAProcess(instance: Instance): boolean {
  if (readIfThere(instance.pidFile) !== undefined) return true
  const record = readIfThere(instance.recordFile)
  return record !== undefined && readProcessRecord(instance)?.end === undefined
}

/** Written by the process itself, once it holds the instance's lock. @throws ConnectError WRITE_FAILED */
export function writeProcessRecord(instance: Instance, identity: InstanceProcess): ProcessRecord {
  const previousEnd = endBefore(identity, readProcessRecord(instance))
  const record = { ...identity, ...(previousEnd && { previousEnd }) }
  restoreProcessRecord(instance, record)
  return record
}

/** Whoever started it may have recorded it already, see control/started-process.ts. */
function endBefore(identity: InstanceProcess, found: ProcessRecord | undefined): ProcessEnd | undefined {
  if (!found || isSameProcess(found, identity)) return found?.previousEnd
  return found.end ?? unseenEnd(found)
}

/** Writes the record as it was, should someone have deleted it. @throws ConnectError WRITE_FAILED */
export function restoreProcessRecord(instance: Instance, record: ProcessRecord): void {
  write(instance, record)
  if (record.mode === 'daemon') writeFileAtomic(instance.pidFile, `${record.pid}\n`)
  else removeFile(instance.pidFile)
}

/**
 * Keeps how it ended, for `daemon status` and `hub status`. The caller holds the instance's lock.
 *
 * @throws ConnectError WRITE_FAILED
 */
export function endProcessRecord(instance: Instance, end: ProcessEnd): void {
  removeFile(instance.pidFile)
  const record = readProcessRecord(instance)
  if (record) write(instance, { ...record, end })
}

/** By the process itself, which goes on under another record. @throws ConnectError WRITE_FAILED */
export function removeProcessRecord({ pidFile, recordFile }: Instance): void {
  removeFile(pidFile)
  removeFile(recordFile)
}

/**
 * Clears away what a process has left that is gone without a word. The caller holds the instance's lock.
 *
 * @throws ConnectError WRITE_FAILED
 */
export function clearStaleRecord(instance: Instance): void {
  removeFile(instance.pidFile)
  const record = readProcessRecord(instance)
  // A record that makes no sense, or came here with a copied folder, tells nothing about a process of ours.
  if (record?.configFile !== instance.mainFile) removeFile(instance.recordFile)
  else if (!record.end) write(instance, { ...record, end: unseenEnd(record) })
}

/** This very process, to be recorded. */
export function ownIdentity(): Pick<
  InstanceProcess,
  'pid' | 'startTime' | 'bootAndNamespace' | 'node' | 'script'
> {
  const self = identify(process.pid)
  if (!self) throw new Error(`process ${process.pid} cannot find itself`)
  return { ...self, node: process.execPath, script: process.argv[1] ?? '' }
}

/** Why a process ended, in words, where its end was only seen. */
export function endReason({ signal }: { signal: string | null }): string {
  return signal === null ? 'ended by itself' : `ended by ${signal}`
}

function unseenEnd(record: ProcessRecord): ProcessEnd {
  const reason = isSameBoot(record)
    ? 'it ended without a word: killed, or crashed'
    : 'the machine was restarted'
  return { at: null, reason, code: null, signal: null, fix: null }
}

/** A record as the text of its file. */
export function formatRecord(record: ProcessRecord): string {
  return `${JSON.stringify(record)}\n`
}

function write(instance: Instance, record: ProcessRecord): void {
  writeFileAtomic(instance.recordFile, formatRecord(record))
}

/**
 * The file is checked for its owner: signals are sent by what it says.
 *
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
function readIfThere(file: string): string | undefined {
  return readText(file, (found) => checkTrusted(file, found))
}
