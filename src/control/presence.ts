import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { userFolder } from '../config/instance.ts'
import { codeOf } from '../errors.ts'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { identify, isAlive } from '../process/identity.ts'

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

const Note = v.object({
  pid: v.number(),
  startTime: v.string(),
  bootAndNamespace: v.string(),
  network: v.string(),
  presence: v.variant('kind', [AgentPresence, ReachPresence, HubPresence]),
})
type Note = v.InferOutput<typeof Note>

export interface Announcement {
  /** @throws ConnectError WRITE_FAILED */
  change(presence: Presence): void
  withdraw(): void
}

/** How often a note is looked after, in ms: what lies in /tmp untouched for some days is cleared away. */
const KEEP_EVERY_MS = 60_000

/** A folder changed so shortly before it was read may change again with the same time, in ms. */
const SAME_TICK_MS = 50

/**
 * Leaves a note for the others, until it is withdrawn or this process ends, however it ends.
 *
 * @param failed told when the note that got lost can’t be written again
 * @param folderNow where it belongs, which may change
 * @throws ConnectError WRITE_FAILED
 */
export function announce(
  presence: Presence,
  failed: (error: unknown) => void,
  folderNow = presenceFolder,
): Announcement {
  const self = identify(process.pid)
  if (!self) throw new Error(`process ${process.pid} cannot find itself`)
  const name = `${process.pid}-${crypto.randomUUID().slice(0, 8)}.json`
  const fileNow = () => path.join(folderNow(), name)
  let current = presence
  let file = fileNow()
  const write = () => {
    file = fileNow()
    const folder = path.dirname(file)
    if (process.platform !== 'win32') ensurePrivateFolder(path.dirname(folder), { inSharedFolder: true })
    ensurePrivateFolder(folder)
    const note: Note = { ...self, network: network(), presence: current }
    writeFileAtomic(file, `${JSON.stringify(note)}\n`)
  }
  write()
  removeDead(path.dirname(file))
  const timer = setInterval(() => {
    try {
      if (file !== fileNow() || !touch(file)) write()
    } catch (error) {
      failed(error)
    }
  }, KEEP_EVERY_MS)
  timer.unref()
  return {
    change(changed) {
      current = changed
      write()
    },
    withdraw() {
      clearInterval(timer)
      rmSync(file, { force: true })
    },
  }
}

/** @returns false if it is not there any more */
function touch(file: string): boolean {
  const now = new Date()
  try {
    utimesSync(file, now, now)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return false
  }
}

/** The notes of a folder, read again when it has changed: looking costs a connection some microseconds. */
export class Neighbours {
  readonly #folderNow: () => string
  #readAt = { folder: '', changed: -1, isSure: false }
  #notes: readonly Note[] = []

  /** @param folderNow where the notes lie, which may change */
  constructor(folderNow = presenceFolder) {
    this.#folderNow = folderNow
  }

  /** The reaches that have this local port. */
  reachesAt(port: number): ReachPresence[] {
    return this.#alive((one) => one.kind === 'reach' && one.port === port) as ReachPresence[]
  }

  /** The reaches whose Unix socket `isWanted` says yes to. */
  reachesAtSocket(isWanted: (socketPath: string) => boolean): ReachPresence[] {
    const wanted = (one: Presence) =>
      one.kind === 'reach' && one.socketPath !== undefined && isWanted(one.socketPath)
    return this.#alive(wanted) as ReachPresence[]
  }

  /** The agents that `wanted` says yes to. */
  agents(wanted: (agent: AgentPresence) => boolean): AgentPresence[] {
    return this.#alive((one) => one.kind === 'agent' && wanted(one)) as AgentPresence[]
  }

  /** By which sockets commands control agents and hubs: of any network, as files belong to none. */
  controlSockets(): string[] {
    return this.#living(({ presence }) => presence.kind !== 'reach').map(({ socketPath }) => socketPath!)
  }

  #alive(wanted: (presence: Presence) => boolean): Presence[] {
    return this.#living((note) => note.network === network() && wanted(note.presence))
  }

  /** Whether a process lives is asked of those few that matter. */
  #living(wanted: (note: Note) => boolean): Presence[] {
    this.#look()
    const matching = this.#notes.filter(wanted)
    return matching.filter(mayBeAlive).map(({ presence }) => presence)
  }

  #look(): void {
    try {
      this.#read()
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      // No descriptor is left, say: what was read last is the best there is.
      this.#readAt = { folder: '', changed: -1, isSure: false }
    }
  }

  #read(): void {
    const folder = this.#folderNow()
    const found = lstatSync(folder, { throwIfNoEntry: false })
    const changed = found?.mtimeMs ?? -1
    const before = this.#readAt
    if (before.isSure && before.folder === folder && before.changed === changed) return
    // In a folder where others may write, as /tmp, a folder of that name can be anybody’s.
    const isOurs = found?.isDirectory() && (process.platform === 'win32' || found.uid === process.getuid?.())
    this.#notes = isOurs ? readNotes(folder).map(({ note }) => note) : []
    this.#readAt = { folder, changed, isSure: Date.now() - changed > SAME_TICK_MS }
  }
}

/** A process that can’t be looked at, for lack of a descriptor say, counts as alive. */
function mayBeAlive(note: Note): boolean {
  try {
    return isAlive(note)
  } catch {
    return true
  }
}

function removeDead(folder: string): void {
  for (const { file, note } of readNotes(folder)) {
    // Whether a process of another container lives, nobody knows here.
    if (note.bootAndNamespace === identify(process.pid)?.bootAndNamespace && !isAlive(note))
      rmSync(file, { force: true })
  }
}

function readNotes(folder: string): { file: string; note: Note }[] {
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
    const parsed = v.safeParse(Note, JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch (error) {
    if (codeOf(error) !== undefined || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Not of one home if that can be: two homes of one user share the machine’s ports. */
function presenceFolder(): string {
  return process.platform === 'win32'
    ? path.join(tmpdir(), 'private-connect-present')
    : path.join(userFolder(), 'present')
}

let cachedNetwork: string | undefined

/** Which network the ports belong to: a container may share /tmp, and not the ports. */
function network(): string {
  cachedNetwork ??= process.platform === 'linux' ? readlinkSync('/proc/self/ns/net') : ''
  return cachedNetwork
}
