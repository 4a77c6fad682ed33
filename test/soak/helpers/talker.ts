import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const MOST_BYTES = 64 * 1024

/** Where nobody can be reached, a reset comes at once. */
const RETRY_MS = 100

/** What all talkers of a test have met, and how long it took at most. */
export interface Talk {
  rounds: number
  resets: number
  slowestMs: number
}

/** Who has a connection to an echo that is open all the time: says something, hears it, says the next. */
export class Talker {
  readonly #port: number
  readonly #talk: Talk
  #socket: Socket | undefined
  #isOver = false
  readonly #done: Promise<void>
  #heard = 0

  constructor(port: number, talk: Talk) {
    this.#port = port
    this.#talk = talk
    this.#done = this.#converse()
    this.#done.catch(() => {})
  }

  /** How often it has heard what it said. */
  get heard(): number {
    return this.#heard
  }

  /** Settles early, with the error, if it was told anything wrong. */
  get failed(): Promise<void> {
    return this.#done
  }

  /** @throws Error if it heard anything but what it said */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#socket?.destroy()
    await this.#done
  }

  async #converse(): Promise<void> {
    while (!this.#isOver) {
      const socket = connect(this.#port, '127.0.0.1')
      this.#socket = socket
      try {
        await this.#echoes(socket)
      } catch (error) {
        if (this.#isOver) return
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error
        this.#talk.resets++
        await sleep(RETRY_MS)
      } finally {
        socket.destroy()
      }
    }
  }

  async #echoes(socket: Socket): Promise<void> {
    let said = randomBytes(1 + Math.floor(Math.random() * MOST_BYTES))
    let began = performance.now()
    let at = 0
    socket.write(said)
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      if (!chunk.equals(said.subarray(at, at + chunk.length))) throw new Error('wrong bytes')
      at += chunk.length
      if (at < said.length) continue
      this.#heard++
      this.#talk.rounds++
      this.#talk.slowestMs = Math.max(this.#talk.slowestMs, performance.now() - began)
      said = randomBytes(1 + Math.floor(Math.random() * MOST_BYTES))
      began = performance.now()
      at = 0
      socket.write(said)
    }
    throw new Error('it ended as if that was all')
  }
}
