import type { ConnectError } from '../../errors.ts'
import type { JoinToken } from '../store/join-token.ts'
import type { Agent, ClaimedService, JoinTry } from '../store/store.ts'
import type { Saved } from './unsaved.ts'

/** A name that an agent has claimed and can't have. */
export interface RefusedName {
  readonly name: string
  /** Whose the name is; undefined if it is nobody's, and could not be saved. */
  readonly owner?: Agent
  /** Why the name could not be saved. */
  readonly reason?: string
}

/**
 * Who may connect, and who offers what. Every question is answered from memory; a directory that many hubs
 * share can stand behind the same interface.
 */
export interface Registry {
  readonly hubId: string
  /** @returns undefined for an agent that has never joined, or has logged out */
  agent(id: string): Agent | undefined
  /**
   * Spends a join token.
   *
   * @returns false if the hub doesn't accept it
   * @throws StoreError if that can't be saved; nothing is spent then
   */
  join(request: Pick<JoinTry, 'token' | 'agent' | 'key' | 'label'>): Promise<boolean>
  /** @returns undefined for what is no join token of this hub @throws StoreError */
  tokenState(token: string): Promise<JoinToken['state'] | undefined>
  setLabel(agent: string, label: string): void
  /** A link of the agent is up, or was until now. */
  seen(agent: string): void
  /** Forgets an agent that has logged out, and its names: at once, also if that can't be saved. */
  remove(agent: string): Promise<Saved>
  service(workspace: string, name: string): ClaimedService | undefined
  services(workspace: string): ClaimedService[]
  servicesOf(agent: string): readonly ClaimedService[]
  /**
   * Makes these the services of an agent. A name stays with the agent that has it, online or not, until that
   * agent takes it back, so that nobody takes it over in between. Names that are new are the agent's once
   * they are saved.
   *
   * @returns the names that the agent can't have; undefined if it is no member any more
   */
  claim(
    agent: Agent,
    services: readonly { name: string; port?: number | undefined }[],
  ): Promise<RefusedName[] | undefined>
}

export interface RegistryEvents {
  /** The agent is no member any more. `lost`: the database doesn't have it, as one that was put back. */
  gone(agent: Agent, why: 'revoked' | 'logged out' | 'removed' | 'lost'): void
  /** The database is damaged, so there is no use in going on. */
  failed(error: ConnectError): void
  log(line: string): void
}
