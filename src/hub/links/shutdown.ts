import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from '../../tunnel/link/link.ts'
import { GOAWAY_CODES } from '../../tunnel/protocol/codes.ts'

/** How long a shutdown waits for the GOAWAYs to reach the agents, in ms. */
const GOODBYE_MS = 200

/** How soon agents are asked to come back, in ms: by then a hub that restarts listens again. */
const RETURN_MS = 500

/** How many may be back in a ms: each costs a handshake and a signature. */
const RETURNS_A_MS = 5

/** The end of a hub: it asks every agent to come back, each after a moment of its own. */
export class Shutdown {
  /** Resolved once no link is left; undefined before the shutdown begins. */
  #emptied: PromiseWithResolvers<void> | undefined

  get hasBegun(): boolean {
    return this.#emptied !== undefined
  }

  /** @returns once all of the links are gone, or have had the time for that */
  async begin(links: readonly Link[]): Promise<void> {
    this.#emptied = Promise.withResolvers<void>()
    if (links.length === 0) return
    for (const link of links) this.sendAway(link, links.length / RETURNS_A_MS)
    await Promise.race([this.#emptied.promise, sleep(GOODBYE_MS)])
  }

  /** @param spreadMs over how long all of them come back */
  sendAway(link: Link, spreadMs = 0): void {
    const afterMs = RETURN_MS + Math.floor(Math.random() * spreadMs)
    link.close(GOAWAY_CODES.SHUTDOWN, 'the hub is shutting down', afterMs)
  }

  /** No link is up any more. */
  emptied(): void {
    this.#emptied?.resolve()
  }
}
