import { setImmediate as turn } from 'node:timers/promises'
import { Link } from '../../../src/tunnel/link/link.ts'
import type { Transport, TransportHandler } from '../../../src/websocket/transport.ts'

/** Which of the two ends don't notice that the wire is gone. */
export type Unaware = 'nobody' | 'near' | 'far' | 'both'

class SimulatedEnd implements Transport {
  isOpen = true
  bytesRead = 0
  bytesWritten = 0
  unwrittenBytes = 0
  readonly #wire: SimulatedWire
  readonly #sent: { bytes: Buffer; written: () => void }[] = []

  #handler: TransportHandler | undefined
  /** What came before anyone listened. */
  readonly #early: Buffer[] = []

  constructor(wire: SimulatedWire) {
    this.#wire = wire
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler
    process.nextTick(() => {
      if (!this.isOpen) handler.closed('lost')
      for (const bytes of this.#early.splice(0)) this.hear(bytes)
    })
  }

  pause(): void {}
  resume(): void {}
  cork(): void {}
  uncork(): void {}

  send(chunks: readonly Buffer[], bytes: number, written = () => {}): void {
    this.unwrittenBytes += bytes
    this.bytesWritten += bytes
    // A socket would have copied it, too.
    this.#sent.push({ bytes: Buffer.concat(chunks, bytes), written })
  }

  /** Gets a message, in chunks that are cut anywhere. */
  hear(bytes: Buffer): void {
    if (!this.isOpen) return
    this.bytesRead += bytes.length
    if (!this.#handler) {
      this.#early.push(bytes)
      return
    }
    const cut = (bytes.at(-1) ?? 0) % Math.max(1, bytes.length)
    const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)].filter((chunk) => chunk.length > 0)
    this.#handler.message(chunks, bytes.length)
  }

  /** Takes some of what was sent on to the other end, or loses it on the way. */
  transmit(messages: number, to: SimulatedEnd | undefined): number {
    const moved = this.#sent.splice(0, messages)
    for (const { bytes, written } of moved) {
      this.unwrittenBytes -= bytes.length
      to?.hear(bytes)
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
    if (!this.isOpen) return
    this.isOpen = false
    this.#handler?.closed('lost')
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
    this.near = new Link(this.#near)
    this.far = new Link(this.#far)
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
    end.hear(bytes)
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
