import type { Socket } from 'node:net'
import type { Neighbours } from '../control/presence.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { connectionLimit, describeConnectionLimit } from '../runtime/descriptor-limit.ts'
import { streamCodeName } from '../tunnel/protocol/codes.ts'
import { MAX_HOPS, MAX_STREAMS } from '../tunnel/protocol/limits.ts'
import { bridge } from '../tunnel/stream/bridge.ts'
import { clientHops } from './client-hops.ts'
import type { Opener, Opening, Queue } from './opener.ts'
import { WaitingClients } from './waiting-clients.ts'

export interface ClientsOptions {
  /** The service's name. */
  readonly name: string
  readonly log: Log
  /** How long a client waits to be carried, in ms; then it is reset. */
  readonly holdMs: number
}

/** Who connects to the local port of a service. Some wait for the link, or for a place among its streams. */
export class Clients implements Queue {
  readonly #opener: Opener
  readonly #neighbours: Neighbours
  readonly #name: string
  readonly #logError: (line: string) => void
  readonly #waiting: WaitingClients
  readonly #limit = connectionLimit()
  // Whoever connects in a loop must not fill the terminal.
  readonly #drops = new LineLimiter()
  readonly #resets = new LineLimiter({ lines: 20 })
  /** Clients of which agents are being asked how many streams they have come through. */
  #asked = 0

  constructor(opener: Opener, neighbours: Neighbours, { name, log, holdMs }: ClientsOptions) {
    this.#opener = opener
    this.#neighbours = neighbours
    this.#name = name
    this.#logError = (line) => log(line, 'error')
    this.#waiting = new WaitingClients(holdMs, () =>
      this.#say(
        `A connection was dropped: ${opener.isLinkUp ? 'too many wait for an answer' : 'no link to the hub'}`,
      ),
    )
    opener.add(this)
  }

  get waiting(): number {
    return this.#waiting.count
  }

  get held(): number {
    return this.#waiting.count + this.#asked
  }

  take(socket: Socket): void {
    // Without a listener, a client that resets would be an uncaught error.
    socket.on('error', () => {})
    const { held } = this.#opener
    if (held >= this.#limit) {
      socket.resetAndDestroy()
      return this.#say(`Connections are dropped: ${describeConnectionLimit(held)}`)
    }
    const hops = clientHops(socket, this.#neighbours)
    if (hops === undefined) this.#enter(socket, 0)
    else void this.#enterAfter(socket, hops)
  }

  carryOne(): void {
    const { socket, hops } = this.#waiting.take()!
    this.#carry(socket, this.#opener.open(this.#name, hops)!)
  }

  /** Resets the clients that wait. */
  close(): void {
    this.#opener.remove(this)
    for (let client = this.#waiting.take(); client; client = this.#waiting.take())
      client.socket.resetAndDestroy()
  }

  async #enterAfter(socket: Socket, hops: Promise<number>): Promise<void> {
    this.#asked++
    const count = await hops
    this.#asked--
    this.#enter(socket, count)
  }

  #enter(socket: Socket, hops: number): void {
    if (socket.destroyed) return
    if (hops > MAX_HOPS) {
      socket.resetAndDestroy()
      return this.#say(`A connection was dropped: it goes in a loop, through ${hops} services by now`)
    }
    const opening = this.#waiting.count === 0 ? this.#opener.open(this.#name, hops) : undefined
    if (opening) return this.#carry(socket, opening)
    if (this.#opener.isFull) {
      socket.resetAndDestroy()
      return this.#say(`Connections are dropped: ${MAX_STREAMS} are waiting already`)
    }
    this.#waiting.add(socket, hops)
    this.#opener.carry()
  }

  #carry(socket: Socket, { stream, answered }: Opening): void {
    bridge(socket, stream, {
      opened: answered,
      reset: (code, message) => {
        const line = `[x] Connection ${stream.shortId} failed: ${message || streamCodeName(code)}`
        this.#resets.write('', this.#logError, () => line)
      },
      closed: answered,
    })
    socket.resume()
  }

  #say(line: string): void {
    const [kind = ''] = line.split(':')
    this.#drops.write(kind, this.#logError, () => `[x] ${line}`)
  }
}
