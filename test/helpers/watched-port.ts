import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 50

/** What clients of a local port meet that connect again and again. */
export class WatchedPort {
  /** Whether it took them, each change once: `true, false, true` is one time in between when it did not. */
  readonly changes: boolean[] = []
  readonly #port: number
  readonly #over = new AbortController()
  readonly #done: Promise<void>

  constructor(port: number) {
    this.#port = port
    this.#done = this.#watch()
  }

  /** @returns the changes */
  async stop(): Promise<readonly boolean[]> {
    this.#over.abort()
    await this.#done
    return this.changes
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const isHeld = await takesClients(this.#port)
      if (this.changes.at(-1) !== isHeld) this.changes.push(isHeld)
      await sleep(PAUSE_MS)
    }
  }
}

/** Whether somebody listens. A client that is reset at once was taken, too. */
export async function takesClients(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true))
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  const isTaken = await promise
  socket.destroy()
  return isTaken
}
