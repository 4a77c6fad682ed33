import { encodeOpenErr, encodeRst } from '../tunnel/encode.ts'
import { MAX_STREAMS } from '../tunnel/limits.ts'
import type { Role } from '../tunnel/handshake.ts'
import type { Link } from '../tunnel/link.ts'
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

  /** Whether no more streams may be opened to it. */
  get isFull(): boolean {
    return this.ends.size >= MAX_STREAMS || this.link.isBehind
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
