import { lstatSync } from 'node:fs'
import { codeOf } from '../../errors.ts'
import { isAlive } from '../../process/identity.ts'
import {
  network,
  presenceFolder,
  readNotes,
  type AgentPresence,
  type Note,
  type Presence,
  type ReachPresence,
} from './presence.ts'

/** A folder changed so shortly before it was read may change again with the same time, in ms. */
const SAME_TICK_MS = 50

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
