import * as v from 'valibot'

/** An agent's id, made of its key: see tunnel/protocol/agent-id.ts. */
export const AgentId = v.pipe(v.string(), v.regex(/^agent_[0-9a-f]{16}$/, 'not an agent id'))
