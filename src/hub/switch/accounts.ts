import { AGENT_BACKLOG_MAX_BYTES, HUB_BACKLOG_MAX_BYTES } from '../../tunnel/protocol/limits.ts'
import { Account, type SwitchPort } from './model.ts'

/** How long an account is kept without a link, in ms: who comes back at once must not begin anew. */
const KEPT_MS = 2000

export interface BacklogLimits {
  /** What may wait for all links of an agent, default 128 MiB. */
  readonly agentBacklogMaxBytes?: number | undefined
  /** What may wait for all links together, default 512 MiB. */
  readonly backlogMaxBytes?: number | undefined
}

/** What each agent costs the hub, and whether that is too much. */
export class Accounts {
  readonly #byAgent = new Map<string, Account>()
  readonly #agentMax: number
  readonly #max: number
  #waiting = 0
  /** An account that has more waiting than it may. */
  #overdrawn: Account | undefined

  constructor(limits: BacklogLimits) {
    this.#agentMax = limits.agentBacklogMaxBytes ?? AGENT_BACKLOG_MAX_BYTES
    this.#max = limits.backlogMaxBytes ?? HUB_BACKLOG_MAX_BYTES
  }

  of(agent: string): Account {
    let account = this.#byAgent.get(agent)
    if (!account) this.#byAgent.set(agent, (account = new Account(agent)))
    return account
  }

  /** A link is gone, and nothing waits for it any more. */
  remove(port: SwitchPort): void {
    const { account } = port
    account.ports.delete(port)
    if (account.ports.size > 0) return
    clearTimeout(account.forgetting)
    account.forgetting = setTimeout(() => {
      if (account.ports.size === 0) this.#byAgent.delete(account.agent)
    }, KEPT_MS).unref()
  }

  /** What waits for a link has grown, or shrunk. */
  changed({ account }: SwitchPort, bytes: number): void {
    account.waiting += bytes
    this.#waiting += bytes
    if (account.waiting > this.#agentMax) this.#overdrawn = account
  }

  /** The account that has to drop some of what waits: who has more than it may; if all is too much, the largest. */
  get debtor(): Account | undefined {
    if (this.#overdrawn && this.#overdrawn.waiting <= this.#agentMax) this.#overdrawn = undefined
    if (this.#overdrawn || this.#waiting <= this.#max) return this.#overdrawn
    let debtor: Account | undefined
    for (const account of this.#byAgent.values())
      if (account.waiting > (debtor?.waiting ?? 0)) debtor = account
    return debtor
  }
}
