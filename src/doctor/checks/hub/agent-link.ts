import type { AgentAnswer } from '../../../control/ask-agent.ts'
import { hubConnectionOf } from '../../../control/hub-connection.ts'
import { loginDrift } from '../../../control/login-drift.ts'
import { adviceFor } from '../../../control/restart-advice.ts'
import { localTime } from '../../../text/local-time.ts'
import type { Check } from '../../check.ts'
import { Skipped } from '../../way/skipped.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

export interface LinkContext extends WayContext {
  agent(): Promise<AgentAnswer | undefined>
}

/**
 * Whether the agent that runs is connected, and to the hub of this machine: it may go another way than this
 * command, by another proxy.
 */
export const agentLink: Check<LinkContext> = {
  name: 'agent-link',
  group: 'hub',
  title: 'Link of the agent',
  timeoutMs: WAY_MS,
  async run(context) {
    const said = await context.agent()
    if (!said) throw new Skipped('No agent runs here')
    if (!said.status) throw new Skipped(`Not looked at, since ${said.silence}`)
    const [elsewhere] = loginDrift(said.status, (await context.way()).config)
    if (elsewhere !== undefined)
      return { state: 'failed', seen: elsewhere, fix: adviceFor({ kind: 'agent' }, said.status.agent) }
    const { state, since: exactly, reason } = hubConnectionOf(said.status)
    const since = localTime(exactly)
    if (state === 'connected') return { state: 'ok', seen: `It is up, since ${since}` }
    await (await context.way()).connectable()
    const seen = `It is down since ${since}, though the way is open`
    return {
      state: state === 'connecting' ? 'warning' : 'failed',
      seen: reason === null ? seen : `${seen}: ${reason}`,
      fix: 'If it stays so, run: connect daemon restart',
    }
  },
}
