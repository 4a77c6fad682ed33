import { encodeOpenErr, encodeRst } from '../tunnel/encode.ts'
import { MAX_STREAMS } from '../tunnel/limits.ts'
import type { Role } from '../tunnel/handshake.ts'
import type { Link } from '../tunnel/link.ts'
import { Shares } from '../tunnel/shares.ts'
import { StreamNumbers } from '../tunnel/stream-numbers.ts'
import type { Account } from './account.ts'
import type { End } from './passage.ts'

/** Whose a link is. */
export interface Owner {
  readonly id: string
  readonly workspace: string
}

/** A link's place at the switch. */
export class SwitchPort {
  readonly agent: Owner
  readonly account: Account
  /** The process at the far end, which keeps this name when it comes back on another connection. */
  readonly process: string
  readonly link: Link
  readonly ends = new Map<number, End>()
  /** Which agents have opened the streams that it has accepted, or is to accept. */
  readonly openers = new Shares()
  readonly numbers = new StreamNumbers('hub')
  /** Frames for streams that this link doesn't have. */
  strays = 0
  /** Of its own streams, those that wait for an answer. */
  pendingOpens = 0
  /** It has told of all streams that it had on its link before. */
  isReady = false

  /** It is its agent's one process that serves, and no client beside it. */
  readonly isServing: boolean

  /** @param account its agent's, which it becomes part of */
  constructor(link: Link, agent: Owner, account: Account, from: { link: string; role: Role }) {
    this.link = link
    this.agent = agent
    this.account = account
    account.ports.add(this)
    this.process = `${agent.id}/${from.link}`
    this.isServing = from.role === 'agent'
  }

  /** @returns why this agent may not open another stream to it; undefined if it may */
  whyFullFor(agent: string): string | undefined {
    const free = MAX_STREAMS - this.ends.size
    if (free <= 0) return `the service’s agent has ${MAX_STREAMS} streams open`
    if (this.link.isBehind) return 'the link of the service’s agent is too far behind'
    if (this.openers.mayTake(agent, free)) return undefined
    return `this machine has ${this.openers.of(agent)} of ${MAX_STREAMS} streams of the service’s agent; the rest is for others`
  }

  nextNumber(): number {
    return this.numbers.next((number) => this.ends.has(number))
  }

  /** Tells that a stream is broken, or was never opened. */
  refuse(number: number, isOpening: boolean, code: number, message: string): void {
    const encode = isOpening ? encodeOpenErr : encodeRst
    this.link.sendControl(encode(number, code, message))
  }
}
