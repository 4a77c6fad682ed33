import { readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { userFolder } from '../../config/instance.ts'
import { ConnectError } from '../../errors.ts'
import { readText } from '../../files/read-text.ts'

const AgentPresence = v.object({
  kind: v.literal('agent'),
  hubId: v.string(),
  agentId: v.string(),
  socketPath: v.string(),
  /**
   * The agent has dialled a port of a `reach`: whoever listens there asks the agent how far a
   * connection has come.
   */
  chains: v.boolean(),
})
export type AgentPresence = v.InferOutput<typeof AgentPresence>

const ReachPresence = v.object({
  kind: v.literal('reach'),
  hubId: v.string(),
  service: v.string(),
  /** The numeric addresses that the `reach` listens on. */
  addresses: v.array(v.string()),
  /** 0 if it listens at a Unix socket. */
  port: v.number(),
  /** The Unix socket that it listens at, an absolute path. */
  socketPath: v.optional(v.string()),
})
export type ReachPresence = v.InferOutput<typeof ReachPresence>

const HubPresence = v.object({
  kind: v.literal('hub'),
  /** By which commands control it. */
  socketPath: v.string(),
})

/**
 * What a process of this user tells the others on this machine, whichever home folder and instance
 * they belong to.
 */
export type Presence = AgentPresence | ReachPresence | v.InferOutput<typeof HubPresence>

/** What lies in the folder of a user’s processes: which process it is, and what it tells. */
const Note = v.object({
  pid: v.number(),
  startTime: v.string(),
  bootAndNamespace: v.string(),
  network: v.string(),
  presence: v.variant('kind', [AgentPresence, ReachPresence, HubPresence]),
})
export type Note = v.InferOutput<typeof Note>

/** The notes of a folder that make sense. @throws the system’s error */
export function readNotes(folder: string): { file: string; note: Note }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const file = path.join(folder, name)
      const note = readNote(file)
      return note ? [{ file, note }] : []
    })
}

/** @returns undefined if the note is gone again, or makes no sense: another version’s, say */
function readNote(file: string): Note | undefined {
  try {
    const parsed = v.safeParse(Note, JSON.parse(readText(file) ?? ''))
    return parsed.success ? parsed.output : undefined
  } catch (error) {
    if (error instanceof ConnectError || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Not of one home if that can be: two homes of one user share the machine’s ports. */
export function presenceFolder(): string {
  return process.platform === 'win32'
    ? path.join(tmpdir(), 'private-connect-present')
    : path.join(userFolder(), 'present')
}

let cachedNetwork: string | undefined

/** Which network the ports belong to: a container may share /tmp, and not the ports. */
export function network(): string {
  cachedNetwork ??= process.platform === 'linux' ? readlinkSync('/proc/self/ns/net') : ''
  return cachedNetwork
}
