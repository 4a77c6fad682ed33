import type { Socket } from 'node:net'
import type { Neighbours } from '../control/presence/neighbours.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { connectionPlaces } from '../runtime/connection-places.ts'
import { STREAM_CODES, streamCodeName } from '../tunnel/protocol/codes.ts'
import { MAX_HOPS } from '../tunnel/protocol/limits.ts'
import { bridge } from '../tunnel/stream/bridge.ts'
import { resetSocket } from '../tunnel/stream/reset-socket.ts'
import type { Stream } from '../tunnel/stream/stream.ts'
import { clientHops } from './client-hops.ts'
import type { Opener, Opening, Queue } from './opener.ts'
import { WaitingClients } from './waiting-clients.ts'

export interface ClientsOptions {
  /** The service's name. */
  readonly name: string
  /** The agent that alone may serve it now; default whoever has the service. */
  readonly acceptor?: () => string | undefined
  readonly log: Log
  /** How long a client waits to be carried, in ms; then it is reset. */
  readonly holdMs: number
  /** Why no more clients may come in, though the process has room for them; default they may. */
  readonly whyFull?: () => string | undefined
  /** The service has taken a client's connection. */
  readonly onOpened?: () => void
  /** @param code of STREAM_CODES; LINK_LOST where there was no link @param why a sentence's end, in words */
  readonly onFailed?: (code: number, why: string) => void
  /** A client is gone, whichever way. */
  readonly onLeft?: () => void
}

type Drop = 'A connection was dropped' | 'Connections are dropped'

/** Who connects to the local port of a service. Some wait for the link, or for a place among its streams. */
export class Clients implements Queue {
  readonly #opener: Opener
  readonly #neighbours: Neighbours
  readonly #options: ClientsOptions
  readonly #logError: (line: string) => void
  readonly #sockets = new Set<Socket>()
  readonly #carried = new Map<Socket, Stream>()
  readonly #waiting: WaitingClients
  // Whoever connects in a loop must not fill the terminal.
  readonly #drops = new LineLimiter()
  readonly #resets = new LineLimiter({ lines: 20 })

  constructor(opener: Opener, neighbours: Neighbours, options: ClientsOptions) {
    this.#opener = opener
    this.#neighbours = neighbours
    this.#options = options
    this.#logError = (line) => options.log(line, 'error')
    this.#waiting = new WaitingClients(options.holdMs, () => {
      const [code, why] = opener.isLinkUp
        ? [STREAM_CODES.LIMIT, 'too many wait for an answer']
        : [STREAM_CODES.LINK_LOST, 'no link to the hub']
      this.#dropped('A connection was dropped', code, why)
    })
    opener.add(this)
  }

  get name(): string {
    return this.#options.name
  }

  /** How many have a connection. */
  get count(): number {
    return this.#sockets.size
  }

  get waiting(): number {
    return this.#waiting.count
  }

  /** How far services have got in taking what clients say: bytes read of those, and bytes on their way. */
  get progress(): { read: number; unacknowledged: number } {
    const all = [...this.#carried]
    return {
      read: all.reduce((sum, [socket]) => sum + socket.bytesRead, 0),
      unacknowledged: all.reduce((sum, [, stream]) => sum + stream.unacknowledged, 0),
    }
  }

  take(socket: Socket): void {
    // Without a listener, a client that resets would be an uncaught error.
    socket.on('error', () => {})
    const full = connectionPlaces.whyFull ?? this.#options.whyFull?.()
    if (full !== undefined) return this.#drop(socket, 'Connections are dropped', STREAM_CODES.LIMIT, full)
    const leave = connectionPlaces.take()
    this.#sockets.add(socket)
    socket.once('close', () => {
      leave()
      this.#sockets.delete(socket)
      this.#options.onLeft?.()
    })
    const hops = clientHops(socket, this.#neighbours)
    if (hops === undefined) this.#enter(socket, 0)
    else void hops.then((count) => this.#enter(socket, count))
  }

  carryOne(): void {
    const { socket, hops } = this.#waiting.take()!
    this.#carry(socket, this.#open(hops)!)
  }

  /** Resets all clients. */
  close(): void {
    this.#opener.remove(this)
    for (const socket of this.#sockets) resetSocket(socket)
  }

  #enter(socket: Socket, hops: number): void {
    if (socket.destroyed) return
    if (hops > MAX_HOPS) {
      const why = `it goes in a loop, through ${hops} services by now`
      return this.#drop(socket, 'A connection was dropped', STREAM_CODES.LOOP, why)
    }
    const opening = this.#waiting.count === 0 ? this.#open(hops) : undefined
    if (opening) return this.#carry(socket, opening)
    if (!this.#opener.mayWait(this)) {
      const why = `${this.waiting} are waiting already`
      return this.#drop(socket, 'Connections are dropped', STREAM_CODES.LIMIT, why)
    }
    this.#waiting.add(socket, hops)
    this.#opener.carry()
  }

  #open(hops: number): Opening | undefined {
    const { name, acceptor } = this.#options
    return this.#opener.open(name, hops, acceptor?.())
  }

  #carry(socket: Socket, { stream, answered }: Opening): void {
    let isOpened = false
    this.#carried.set(socket, stream)
    bridge(socket, stream, {
      opened: () => {
        isOpened = true
        answered()
        this.#options.onOpened?.()
      },
      reset: (code, message) => {
        const why = message || streamCodeName(code)
        this.#resets.write('', this.#logError, () => `[x] Connection ${stream.shortId} failed: ${why}`)
        if (!isOpened) this.#options.onFailed?.(code, why)
      },
      closed: () => {
        this.#carried.delete(socket)
        answered()
      },
    })
    socket.resume()
  }

  #drop(socket: Socket, ...why: [what: Drop, code: number, why: string]): void {
    resetSocket(socket)
    this.#dropped(...why)
  }

  #dropped(what: Drop, code: number, why: string): void {
    this.#drops.write(what, this.#logError, () => `[x] ${what}: ${why}`)
    this.#options.onFailed?.(code, why)
  }
}
