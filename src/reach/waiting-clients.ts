import type { Socket } from 'node:net'
import { resetSocket } from '../tunnel/stream/reset-socket.ts'

/** How soon the reset of a client is noticed that has sent more than is read ahead, in ms. */
const PROBE_MS = 1000

const NOTHING = Buffer.alloc(0)

export interface Client {
  readonly socket: Socket
  /** How many streams its connection has come through. */
  readonly hops: number
}

/**
 * Clients that wait to be carried, the first one first. Each is watched meanwhile: a client that is gone
 * gives its place back, and a client that has waited too long is reset.
 */
export class WaitingClients {
  readonly #stopWaiting = new Map<Socket, () => Client>()
  readonly #holdMs: number
  readonly #onLate: () => void

  /** @param onLate called for each client that has waited too long */
  constructor(holdMs: number, onLate: () => void) {
    this.#holdMs = holdMs
    this.#onLate = onLate
  }

  get count(): number {
    return this.#stopWaiting.size
  }

  /** @param socket paused since it was accepted */
  add(socket: Socket, hops: number): void {
    const timer = setTimeout(() => {
      this.#stopWaiting.get(socket)!()
      this.#onLate()
      resetSocket(socket)
    }, this.#holdMs)
    // Nobody is told of a reset while nothing is read; but a write fails, if only of no bytes.
    const probing = setInterval(() => {
      if (socket.writable) socket.write(NOTHING)
    }, PROBE_MS)
    const readAhead = () => {}
    const gone = () => this.#stopWaiting.get(socket)!()
    this.#stopWaiting.set(socket, () => {
      clearTimeout(timer)
      clearInterval(probing)
      socket.off('readable', readAhead)
      socket.off('close', gone)
      this.#stopWaiting.delete(socket)
      return { socket, hops }
    })
    socket.once('close', gone)
    // With this listener a socket reads up to its high-water mark, and so hears of a reset at once.
    socket.on('readable', readAhead)
  }

  /** The client that has waited longest. It is not watched any more. */
  take(): Client | undefined {
    const [stopWaiting] = this.#stopWaiting.values()
    return stopWaiting?.()
  }
}
