import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { Link } from '../../src/tunnel/link.ts'

/** Which of the two ends don't notice that the wire is gone. */
export type Unaware = 'nobody' | 'near' | 'far' | 'both'

/** As much of a WebSocket, and of the TCP socket below it, as a link uses. */
class SimulatedEnd extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  bytesRead = 0
  writableLength = 0
  readonly #wire: SimulatedWire
  readonly #sent: { bytes: Buffer; written: () => void }[] = []

  constructor(wire: SimulatedWire) {
    super()
    this.#wire = wire
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  cork(): void {}
  uncork(): void {}

  send(bytes: Buffer, _options: unknown, written: () => void): void {
    this.writableLength += bytes.length
    // A socket would have copied it, too.
    this.#sent.push({ bytes: Buffer.from(bytes), written })
  }

  /** Takes some of what was sent on to the other end, or loses it on the way. */
  transmit(messages: number, to: SimulatedEnd | undefined): number {
    const moved = this.#sent.splice(0, messages)
    for (const { bytes, written } of moved) {
      this.writableLength -= bytes.length
      if (to?.readyState === 1) {
        to.bytesRead += bytes.length
        to.emit('message', bytes, true)
      }
      written()
    }
    return moved.length
  }

  close(): void {
    this.#wire.closing = true
  }

  terminate(): void {
    this.#wire.terminated(this)
  }

  gone(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.emit('close', 1006, Buffer.alloc(0))
  }
}

/** Both ends of a connection in memory, which can be slow, stand still, and be lost as real ones are. */
export class SimulatedWire {
  readonly near: Link
  readonly far: Link
  closing = false
  /** Messages that pass in a turn, each way. */
  #speed: number
  #stalled = 0
  #isWhole = true
  readonly #near: SimulatedEnd
  readonly #far: SimulatedEnd

  constructor(speed: number) {
    this.#speed = speed
    this.#near = new SimulatedEnd(this)
    this.#far = new SimulatedEnd(this)
    const [near, far] = [this.#near, this.#far].map(
      (end) => new Link(end as unknown as WebSocket, end as unknown as Socket),
    )
    this.near = near!
    this.far = far!
  }

  /** Nothing passes for so many turns. */
  stall(turns: number): void {
    this.#stalled = turns
  }

  /** Loses the wire, and what is on it. Whoever is unaware of it goes on sending. */
  cut(unaware: Unaware): void {
    this.#isWhole = false
    if (unaware === 'nobody' || unaware === 'far') this.#near.gone()
    if (unaware === 'nobody' || unaware === 'near') this.#far.gone()
  }

  /** An end gives it up. The other one learns of it if there still is a wire. */
  terminated(end: SimulatedEnd): void {
    if (this.#isWhole) this.cut('nobody')
    else end.gone()
  }

  /** Has an end get this, as if the other one had sent it. */
  inject(at: 'near' | 'far', bytes: Buffer): void {
    const end = at === 'near' ? this.#near : this.#far
    if (end.readyState === 1) end.emit('message', bytes, true)
  }

  /** Takes away what an end has sent, and says nothing to the other one. */
  drain(from: 'near' | 'far'): void {
    const end = from === 'near' ? this.#near : this.#far
    end.transmit(Number.POSITIVE_INFINITY, undefined)
    if (this.closing) this.cut('nobody')
  }

  /** Lets a turn go by. @returns how many messages have moved */
  step(): number {
    if (this.#stalled > 0) {
      this.#stalled--
      return 1
    }
    const moved =
      this.#near.transmit(this.#speed, this.#isWhole ? this.#far : undefined) +
      this.#far.transmit(this.#speed, this.#isWhole ? this.#near : undefined)
    if (this.closing && moved === 0) this.cut('nobody')
    return moved
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}
