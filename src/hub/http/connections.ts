import type { Socket } from 'node:net'
import { LineLimiter } from '../../log/line-limiter.ts'
import { connectionLimit, describeConnectionLimit } from '../../runtime/descriptor-limit.ts'
import { MAX_STRANGERS, MAX_TLS_STRANGERS } from '../../tunnel/protocol/limits.ts'

export interface ConnectionLimits {
  /** How many connections there may be at a time; default what `ulimit -n` leaves room for. */
  readonly connections?: number
  /** How many connections may have no link; default MAX_STRANGERS, with TLS MAX_TLS_STRANGERS. */
  readonly strangers?: number
}

/**
 * All connections to the hub. One without a link is anyone's, a stranger's: to make it costs nothing and
 * proves nothing, so it must not keep others out. Where there is no place left, the oldest stranger's is
 * closed: a member has a link within moments. Addresses have no say: all clients behind one reverse proxy, or
 * one NAT, share an address.
 */
export class Connections {
  readonly #all = new Set<Socket>()
  /** The connections without a link, by their ends; the oldest is first. */
  readonly #strangers = new Map<string, Socket>()
  readonly #most: number
  readonly #mostStrangers: number
  readonly #log: (line: string) => void
  readonly #lines = new LineLimiter()

  constructor(limits: ConnectionLimits, isTls: boolean, log: (line: string) => void) {
    this.#most = limits.connections ?? connectionLimit()
    this.#mostStrangers = limits.strangers ?? (isTls ? MAX_TLS_STRANGERS : MAX_STRANGERS)
    this.#log = log
  }

  /** @param socket as it was accepted, below TLS */
  add(socket: Socket): void {
    const ends = endsOf(socket)
    this.#all.add(socket)
    this.#strangers.set(ends, socket)
    socket.once('close', () => {
      this.#all.delete(socket)
      if (this.#strangers.get(ends) === socket) this.#strangers.delete(ends)
    })
    const isFull = this.#all.size > this.#most
    if (!isFull && this.#strangers.size <= this.#mostStrangers) return
    const what =
      this.#closeOldest() === socket
        ? '[x] Connections are refused'
        : '[!] Connections that have no link are closed, the oldest first'
    const why = isFull ? describeConnectionLimit(this.#most) : `${this.#mostStrangers} of them are open`
    this.#lines.write(what, this.#log, () => `${what}: ${why}`)
  }

  /** @param socket as it was added, or what TLS has made of it: both have the same ends */
  becameLink(socket: Socket): void {
    this.#strangers.delete(endsOf(socket))
  }

  /** Closes all, also those in the midst of a TLS handshake, which are no HTTP connections yet. */
  destroy(): void {
    for (const socket of this.#all) socket.destroy()
  }

  #closeOldest(): Socket | undefined {
    for (const [ends, socket] of this.#strangers) {
      this.#strangers.delete(ends)
      return socket.destroy()
    }
    return undefined
  }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}
