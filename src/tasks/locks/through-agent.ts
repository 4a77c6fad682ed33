import type { AgentInstance } from '../../config/instance.ts'
import { tryInstanceLock } from '../../control/instance-lock.ts'
import { processElsewhere, findProcess } from '../../control/find-process.ts'
import { restartAdvice } from '../../control/restart-advice.ts'
import { ConnectError } from '../../errors.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { tilde } from '../../text/tilde.ts'

/** How long an agent may take from its lock to its socket, or back, in ms. */
const SETTLE_MS = 5000

/**
 * Changes what an agent serves: the agent does it, or this command while none runs. In between, as one starts
 * or stops, and behind another command, it waits.
 *
 * @param ask asks the agent; undefined if none listens
 * @param edit changes the file, under the instance's lock: so the two never do so at once
 * @throws ConnectError AGENT_BUSY, AGENT_ELSEWHERE if neither can be done, and what either throws
 */
export async function throughAgentOrFile<T>(
  instance: AgentInstance,
  ask: () => Promise<T | undefined>,
  edit: () => T | Promise<T>,
): Promise<T> {
  const outcome = await waitFor(
    async () => {
      const done = await ask()
      if (done !== undefined) return { done }
      const lock = await tryInstanceLock(instance)
      if (!lock) return undefined
      try {
        return { done: await edit() }
      } finally {
        lock.release()
      }
    },
    { timeoutMs: SETTLE_MS },
  )
  if (outcome) return outcome.done
  throw await whyNot(instance)
}

async function whyNot(instance: AgentInstance): Promise<ConnectError> {
  const found = await findProcess(instance)
  if (found.state === 'unknown') return processElsewhere(instance, found.reason)
  if (found.state !== 'running') {
    return new ConnectError('AGENT_BUSY', 'An agent is just starting or stopping', { hints: ['Try again.'] })
  }
  const { pid } = found.agent
  return new ConnectError('AGENT_BUSY', `The agent runs (PID: ${pid}), but nobody listens on its socket`, {
    hints: [
      `It looks after ${tilde(instance.socketPath)} every few seconds: try again. If it stays so:`,
      restartAdvice(instance),
    ],
  })
}
