import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Counts } from '../../tunnel/bounds/counts.ts'
import { MAX_NONCES, NONCE_SECONDS } from '../../tunnel/protocol/limits.ts'

const RANDOM_BYTES = 16
const TIME_BYTES = 6
const MAC_BYTES = 16
const BODY_BYTES = RANDOM_BYTES + TIME_BYTES

/**
 * What tokens sign, so that no clock has a say: each nonce was made here, is good for a moment, and once.
 * Nothing is kept of the nonces that are handed out, only of those that were used.
 */
export class Nonces {
  readonly #secret = randomBytes(32)
  readonly #now: () => number
  /** By nonce, who has used it, and until when that must be known, in ms; the oldest use comes first. */
  readonly #used = new Map<string, { agent: string; until: number }>()
  /** How many of the used nonces are each agent's. */
  readonly #counts = new Counts()

  /** @param now ms of a clock that never jumps */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  make(): string {
    const body = Buffer.alloc(BODY_BYTES)
    randomBytes(RANDOM_BYTES).copy(body)
    body.writeUIntBE(Math.floor(this.#now()), RANDOM_BYTES, TIME_BYTES)
    return Buffer.concat([body, this.#macOf(body)]).toString('base64url')
  }

  /** Whether a nonce was made here a moment ago, and has not been used. */
  isGood(nonce: string): boolean {
    const bytes = Buffer.from(nonce, 'base64url')
    // Only one way of writing a nonce is good: another would count as another nonce.
    if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== nonce) return false
    const body = bytes.subarray(0, BODY_BYTES)
    if (!timingSafeEqual(this.#macOf(body), bytes.subarray(BODY_BYTES))) return false
    const age = this.#now() - body.readUIntBE(RANDOM_BYTES, TIME_BYTES)
    return age < NONCE_SECONDS * 1000 && !this.#used.has(nonce)
  }

  /** Whether an agent has used as many nonces as it may: nobody else can use them up in its name. */
  isSpentBy(agent: string): boolean {
    this.#forgetOld()
    return this.#counts.of(agent) >= MAX_NONCES
  }

  /** Uses a good nonce up; only after the signature was verified, so that what is kept is that agent’s. */
  use(nonce: string, agent: string): void {
    this.#counts.add(agent)
    this.#used.set(nonce, { agent, until: this.#now() + NONCE_SECONDS * 1000 })
  }

  /** Forgets a nonce whose request came to nothing. */
  release(nonce: string): void {
    const use = this.#used.get(nonce)
    if (use) this.#forget(nonce, use.agent)
  }

  #forgetOld(): void {
    const now = this.#now()
    for (const [nonce, { agent, until }] of this.#used) {
      if (until > now) break
      this.#forget(nonce, agent)
    }
  }

  #forget(nonce: string, agent: string): void {
    this.#used.delete(nonce)
    this.#counts.remove(agent)
  }

  #macOf(body: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(body).digest().subarray(0, MAC_BYTES)
  }
}
