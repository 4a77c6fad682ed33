import { AGENT_BACKLOG_MAX_BYTES, HUB_BACKLOG_MAX_BYTES } from '../../tunnel/protocol/limits.ts'
import { AgentQuota } from './agent-quota.ts'
import type { SwitchPort } from './switch-port.ts'

/** How long a quota is kept without a link, in ms: an agent that comes back at once must not begin anew. */
const KEPT_MS = 2000

export interface BacklogLimits {
  /** What may wait for all links of an agent, default 128 MiB. */
  readonly agentBacklogMaxBytes?: number | undefined
  /** What may wait for all links together, default 512 MiB. */
  readonly backlogMaxBytes?: number | undefined
}

interface Entry {
  readonly quota: AgentQuota
  /** The links that share the quota. */
  readonly ports: Set<SwitchPort>
  /** Forgets the quota some time after the last link is gone. */
  forgetting: NodeJS.Timeout | undefined
}

/** What each agent costs the hub, and whether that is too much. */
export class AgentQuotas {
  readonly #byAgent = new Map<string, Entry>()
  readonly #agentMax: number
  readonly #max: number
  #waiting = 0
  /** The quota of an agent that has more waiting than it may. */
  #exceeded: AgentQuota | undefined

  constructor(limits: BacklogLimits) {
    this.#agentMax = limits.agentBacklogMaxBytes ?? AGENT_BACKLOG_MAX_BYTES
    this.#max = limits.backlogMaxBytes ?? HUB_BACKLOG_MAX_BYTES
  }

  of(agent: string): AgentQuota {
    let entry = this.#byAgent.get(agent)
    if (!entry) {
      entry = { quota: new AgentQuota(agent), ports: new Set(), forgetting: undefined }
      this.#byAgent.set(agent, entry)
    }
    return entry.quota
  }

  /** From now on what the link costs is its agent's. */
  add(port: SwitchPort): void {
    this.#byAgent.get(port.quota.agent)!.ports.add(port)
  }

  /** The link is gone, and nothing waits for it any more. */
  remove(port: SwitchPort): void {
    const entry = this.#entryOf(port.quota)
    entry?.ports.delete(port)
    if (!entry || entry.ports.size > 0) return
    clearTimeout(entry.forgetting)
    entry.forgetting = setTimeout(() => {
      if (entry.ports.size === 0) this.#byAgent.delete(entry.quota.agent)
    }, KEPT_MS).unref()
  }

  /** What waits for a link has grown, or shrunk. */
  changed({ quota }: SwitchPort, bytes: number): void {
    quota.waitingBytes += bytes
    this.#waiting += bytes
    if (quota.waitingBytes > this.#agentMax) this.#exceeded = quota
  }

  /** The link that has to drop some of what waits: that with most of it, of the agent that has too much. */
  get portToShed(): SwitchPort | undefined {
    const quota = this.#toShed()
    const entry = quota && this.#entryOf(quota)
    if (!entry) return undefined
    let largest: SwitchPort | undefined
    for (const port of entry.ports) if (port.link.backlog > (largest?.link.backlog ?? 0)) largest = port
    return largest
  }

  /** The quota that is exceeded; if all together have too much waiting, that with most of it. */
  #toShed(): AgentQuota | undefined {
    if (this.#exceeded && this.#exceeded.waitingBytes <= this.#agentMax) this.#exceeded = undefined
    if (this.#exceeded || this.#waiting <= this.#max) return this.#exceeded
    let most: AgentQuota | undefined
    for (const { quota } of this.#byAgent.values())
      if (quota.waitingBytes > (most?.waitingBytes ?? 0)) most = quota
    return most
  }

  /** @returns undefined if the quota is forgotten: its agent may have another one by now */
  #entryOf(quota: AgentQuota): Entry | undefined {
    const entry = this.#byAgent.get(quota.agent)
    return entry?.quota === quota ? entry : undefined
  }
}
