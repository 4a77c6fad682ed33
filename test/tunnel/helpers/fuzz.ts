import {
  encodeCtrl,
  encodeFin,
  encodeGoaway,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodePing,
  encodePong,
  encodeResume,
  encodeResumed,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import type { Position } from '../../../src/tunnel/protocol/frames.ts'
import { INITIAL_WINDOW, MAX_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { Random } from '../../soak/helpers/random.ts'
import { encodeData } from './whole-frames.ts'

/**
 * Frames of a peer that breaks every rule: most of them well-formed, on streams that exist or might, some
 * garbage.
 */
export class Fuzzer {
  readonly #random: Random
  readonly #names: readonly string[]
  readonly #agents: readonly string[]
  /** Keys that frames are about again and again. */
  readonly #keys: readonly Buffer[]

  constructor(seed: number, names: readonly string[], agents: readonly string[]) {
    this.#random = new Random(seed)
    this.#names = names
    this.#agents = agents
    this.#keys = Array.from({ length: 8 }, (_, index) => Buffer.alloc(16, index + (seed & 0x7f)))
  }

  /** A whole number from 0 up to, and without, n. */
  below(n: number): number {
    return Math.floor(this.#random.fraction() * n)
  }

  #one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!
  }

  frame(): Buffer {
    const frame = this.#wellFormed()
    switch (this.below(200)) {
      case 0: {
        return frame.subarray(0, this.below(frame.length))
      }
      case 1: {
        frame[this.below(frame.length)] = this.below(256)
        return frame
      }
      case 2: {
        return Buffer.from(Array.from({ length: this.below(60) }, () => this.below(256)))
      }
      default: {
        return frame
      }
    }
  }

  #wellFormed(): Buffer {
    const stream = this.#one([1 + this.below(12), 1 + this.below(12), 1 + this.below(2 ** 32 - 1)])
    const key = this.#one([...this.#keys, Buffer.from(Array.from({ length: 16 }, () => this.below(256)))])
    const offset = () => this.#one([0, 1, this.below(100), this.below(INITIAL_WINDOW), this.below(2 ** 40)])
    const name = this.#one(this.#names)
    const [agent, isNamed] = [this.#one(['', ...this.#agents]), this.below(4) === 0]
    const consumed = offset()
    const limit = consumed + this.below(MAX_WINDOW)
    switch (this.below(14)) {
      case 0:
      case 1: {
        return encodeOpen(stream, key, this.below(MAX_WINDOW), name, { from: agent, named: isNamed })
      }
      case 2: {
        return encodeOpenOk(stream, this.below(MAX_WINDOW))
      }
      case 3: {
        return encodeOpenErr(stream, this.below(20), 'no')
      }
      case 4:
      case 5: {
        return encodeData(stream, Buffer.alloc(1 + this.below(this.#one([5, 30_000]))), this.below(2) === 0)
      }
      case 6: {
        return encodeWindow(stream, consumed, limit)
      }
      case 7: {
        return encodeFin(stream, offset())
      }
      case 8: {
        return encodeRst(stream, this.below(20))
      }
      case 9:
      case 10: {
        return encodeResume(stream, key, this.#position(), name, { from: agent, named: isNamed })
      }
      case 11: {
        return encodeResumed(stream, this.#position())
      }
      case 12: {
        return this.#one([encodePing(1n), encodePong(2n), Buffer.from('ff0000000001', 'hex')])
      }
      default: {
        if (this.below(20) > 0) return encodePing(3n)
        return this.#one([
          encodeGoaway(this.below(8), this.below(1000), 'bye'),
          encodeCtrl({ type: 'hello', version: '0', label: 'fuzz' }),
          encodeCtrl({ type: 'welcome', hub: 'hub_0123456789abcdef', version: '0' }),
          encodeCtrl({ type: 'services', seq: this.below(9), services: [] }),
          encodeCtrl({ what: 'ever' }),
        ])
      }
    }
  }

  #position(): Position {
    const received = this.#one([0, 0, this.below(10), this.below(INITIAL_WINDOW)])
    const ended = this.below(2) === 0
    const consumed = Math.max(0, received - this.below(10) + (ended ? 1 : 0))
    const limit = Math.max(received, consumed) + this.below(INITIAL_WINDOW)
    const answered = this.below(2) === 0
    return { received, consumed, limit, ended, answered }
  }
}
