import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { waitFor } from '../../src/runtime/wait-for.ts'

const EVERY_MS = 50
const LINE_MS = 60_000

/** A connection to an echo that is used all the time, and notes how long an answer took at the most. */
export class Pinged {
  /** How long the slowest answer took, in ms. */
  slowestMs = 0
  /** How it ended, if it has. */
  end: string | undefined
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #sentAt: number[] = []
  #answered = 0
  #partial = ''

  private constructor(socket: Socket) {
    this.#socket = socket.setEncoding('utf8').setNoDelay()
    socket.on('data', (text: string) => this.#take(text))
    socket.on('error', ({ message }) => (this.end ??= message))
    socket.on('close', () => (this.end ??= 'closed'))
    this.#timer = setInterval(() => this.#ping(), EVERY_MS)
  }

  static async open(port: number): Promise<Pinged> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const pinged = new Pinged(socket)
    await pinged.answersAgain()
    return pinged
  }

  /** Waits until all that was sent so far is answered. @throws Error if it ended, or that takes too long */
  async answersAgain(): Promise<void> {
    const wanted = this.#sentAt.length + 1
    const isThere = () => this.end !== undefined || this.#answered >= wanted || undefined
    const came = await waitFor(isThere, { timeoutMs: LINE_MS, everyMs: 20 })
    if (!came || this.end !== undefined) throw new Error(this.end ?? 'no answer')
  }

  close(): void {
    clearInterval(this.#timer)
    this.#socket.destroy()
  }

  #ping(): void {
    this.#socket.write(`${this.#sentAt.length}\n`)
    this.#sentAt.push(performance.now())
  }

  /** Each answer once, in their order. */
  #take(text: string): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop()!
    for (const line of lines) {
      if (Number(line) !== this.#answered) {
        this.end ??= `answer ${line} instead of ${this.#answered}`
        return
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - this.#sentAt[this.#answered]!)
      this.#answered++
    }
  }
}
