import { readFileSync, rmSync } from 'node:fs'
import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { codeOf, ConnectError, messageOf } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic-write.ts'
import { identify, isAlive } from './identity.ts'

/** What a running agent says of itself, beside the plain PID file. */
const AgentRecord = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  startTime: v.string(),
  world: v.string(),
  /** Random: tells two agents apart that nothing else does. */
  nonce: v.string(),
  /** `daemon` is kept alive by a platform, `foreground` is `connect up` in someone's terminal. */
  mode: v.picklist(['daemon', 'foreground']),
  version: v.string(),
  startedAt: v.string(),
})
export type AgentRecord = v.InferOutput<typeof AgentRecord>

/** Written by the agent itself, once it holds the instance's lock. */
export function writeAgentRecord(instance: Instance, record: AgentRecord): void {
  writeFileAtomic(instance.recordFile, `${JSON.stringify(record)}\n`)
  if (record.mode === 'daemon') writeFileAtomic(instance.pidFile, `${record.pid}\n`)
  else rmSync(instance.pidFile, { force: true })
}

export function removeAgentRecord(instance: Instance): void {
  rmSync(instance.pidFile, { force: true })
  rmSync(instance.recordFile, { force: true })
}

/** What the files say of an agent, held against the processes that there are. */
export type Finding =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly record: AgentRecord }
  /** The files name a process that is gone, or whose number another process has now. */
  | { readonly state: 'stale' }

/** Looks for the instance's agent. Changes nothing. */
export function findAgent(instance: Instance): Finding {
  const record = readRecord(instance)
  if (record && isAlive(record)) return { state: 'running', record }
  if (record || readIfThere(instance.pidFile) !== undefined) return { state: 'stale' }
  return { state: 'none' }
}

/** The identity of this very process, to be recorded. */
export function ownIdentity(): { pid: number; startTime: string; world: string } {
  const self = identify(process.pid)
  if (!self) throw new Error(`process ${process.pid} cannot find itself`)
  return self
}

function readRecord(instance: Instance): AgentRecord | undefined {
  const text = readIfThere(instance.recordFile)
  if (text === undefined) return undefined
  try {
    return v.parse(AgentRecord, JSON.parse(text))
  } catch {
    // Not one of ours, so it names nobody: whoever holds the lock writes a new one.
    return undefined
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new ConnectError('CONFIG_UNREADABLE', `Could not read ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
