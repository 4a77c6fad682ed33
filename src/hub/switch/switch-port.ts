import { FairShares } from '../../tunnel/bounds/fair-shares.ts'
import type { Link } from '../../tunnel/link/link.ts'
import { encodeOpenErr, encodeRst } from '../../tunnel/protocol/encode.ts'
import type { Role } from '../../tunnel/protocol/handshake.ts'
import { MAX_STREAMS } from '../../tunnel/protocol/limits.ts'
import { StreamNumbers } from '../../tunnel/stream/stream-numbers.ts'
import type { AgentQuota } from './agent-quota.ts'
import type { AgentRef } from './agent-ref.ts'
import type { Endpoint, EndpointPort } from './relayed-stream.ts'

/** A link's place at the switch. */
export class SwitchPort implements EndpointPort {
  readonly agent: AgentRef
  /** Shared by all links of the agent. */
  readonly quota: AgentQuota
  /** The process at the far end, which keeps this name when it comes back on another connection. */
  readonly process: string
  readonly link: Link
  readonly ends = new Map<number, Endpoint>()
  /** Which agents have opened the streams that this link has accepted, or is to accept. */
  readonly openers = new FairShares()
  readonly numbers = new StreamNumbers('hub')
  /** Frames for streams that this link doesn't have. */
  strays = 0
  /** Of the streams that this link has opened, how many wait for an answer. */
  pendingOpens = 0
  /** The process has told of all streams that it had on its link before. */
  isReady = false

  /** The link is of its agent's one process that serves, and not of a client beside it. */
  readonly isServing: boolean

  constructor(link: Link, agent: AgentRef, quota: AgentQuota, from: { link: string; role: Role }) {
    this.link = link
    this.agent = agent
    this.quota = quota
    this.process = `${agent.id}/${from.link}`
    this.isServing = from.role === 'agent'
  }

  /** @returns why this agent may not open another stream to this link; undefined if it may */
  whyFullFor(agent: string): string | undefined {
    const free = MAX_STREAMS - this.ends.size
    if (free <= 0) return `the service’s agent has ${MAX_STREAMS} streams open`
    if (this.link.isBehind) return 'the link of the service’s agent is too far behind'
    if (this.openers.mayAcquire(agent, free)) return undefined
    return `this machine has ${this.openers.of(agent)} of ${MAX_STREAMS} streams of the service’s agent; the rest is for others`
  }

  nextNumber(): number {
    return this.numbers.next((number) => this.ends.has(number))
  }

  /** Takes an end in under the number that it has been given. */
  attach(end: Endpoint): void {
    this.ends.set(end.number, end)
    if (end.isOpening) this.pendingOpens++
    if (!end.isOpener) this.openers.acquire(end.stream.from)
  }

  detach(end: Endpoint): void {
    if (end.isOpening) this.pendingOpens--
    if (!end.isOpener) this.openers.release(end.stream.from)
    this.ends.delete(end.number)
  }

  answered(): void {
    this.pendingOpens--
  }

  refuse(number: number, isOpening: boolean, code: number, message: string): void {
    const encode = isOpening ? encodeOpenErr : encodeRst
    this.link.sendControl(encode(number, code, message))
  }
}
