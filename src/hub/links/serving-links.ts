import type { SwitchPort } from '../switch/switch-port.ts'
import { ReconnectGrace } from './reconnect-grace.ts'

/** Of each agent, the links of the process that serves what it exposes, and whether one may be back soon. */
export class ServingLinks {
  /** The newest is last. */
  readonly #byAgent = new Map<string, SwitchPort[]>()
  readonly #reconnectGrace = new ReconnectGrace()

  add(port: SwitchPort): void {
    this.#byAgent.set(port.agent.id, [...this.#of(port.agent.id), port])
  }

  /** @param saidGoodbye else it was lost, and its process tries again */
  remove(port: SwitchPort, saidGoodbye: boolean): void {
    const { id } = port.agent
    const left = this.#of(id).filter((other) => other !== port)
    if (left.length > 0) this.#byAgent.set(id, left)
    else this.#byAgent.delete(id)
    if (saidGoodbye) this.#reconnectGrace.left(id)
    else this.#reconnectGrace.lost(id)
  }

  /** @returns the newest that is open; undefined if the agent has none */
  newestOf(agent: string): SwitchPort | undefined {
    return this.#of(agent).findLast(({ link }) => link.isOpen)
  }

  /** How many agents have one. */
  get size(): number {
    return this.#byAgent.size
  }

  /** Whether an agent that has none may have one any moment. */
  isExpected(agent: string): boolean {
    return this.#reconnectGrace.isExpected(agent)
  }

  #of(agent: string): SwitchPort[] {
    return this.#byAgent.get(agent) ?? []
  }
}
