/** An agent as links and the ends of streams name theirs. */
export interface AgentRef {
  readonly id: string
  readonly workspace: string
}
