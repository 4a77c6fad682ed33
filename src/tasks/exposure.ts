import { ensureInstanceFolder, requireConfig } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { readServices, withService, writeServices, type ExposedService } from '../config/services.ts'
import { tryAgentLock } from '../control/agent-lock.ts'
import { exposeService, unexposeService } from '../control/client.ts'
import { findAgent } from '../control/find-agent.ts'
import { ConnectError } from '../errors.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { tilde } from '../text/tilde.ts'

/** How long an agent may take from its lock to its socket, or back, in ms. */
const SETTLE_MS = 5000

/** What became of a wish to expose. */
export type Exposure =
  /** The hub has confirmed it. */
  | { readonly state: 'confirmed' }
  /** An agent runs here, and will tell the hub once it can. */
  | { readonly state: 'saved'; readonly reason: string }
  /** No agent runs here: it is saved for when one does. */
  | { readonly state: 'no agent' }

/**
 * Exposes a service: through the running agent, else by saving it for the next one. Whoever holds the
 * instance's lock writes the file, so the two never do so at once.
 *
 * @throws ConnectError NOT_CONFIGURED, NAME_TAKEN, AGENT_BUSY, WRITE_FAILED
 */
export async function expose(instance: Instance, service: ExposedService): Promise<Exposure> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  const { name, host, port } = service
  return throughAgentOrFile<Exposure>(
    instance,
    async () => {
      const reply = await exposeService(instance, name, { host, port })
      if (!reply) return undefined
      return reply.confirmed
        ? { state: 'confirmed' }
        : { state: 'saved', reason: reply.reason ?? 'not connected' }
    },
    () => {
      writeServices(instance, withService(readServices(instance), service))
      return { state: 'no agent' }
    },
  )
}

export interface Unexposure {
  /** The service was exposed here. */
  readonly removed: boolean
  /** How many connections to it stay open; null if the agent doesn't say. */
  readonly streams: number | null
}

/** @throws ConnectError NOT_CONFIGURED, AGENT_BUSY, WRITE_FAILED */
export async function unexpose(instance: Instance, name: string): Promise<Unexposure> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  return throughAgentOrFile<Unexposure>(
    instance,
    async () => {
      const reply = await unexposeService(instance, name)
      return reply && { removed: reply.removed, streams: reply.streams ?? null }
    },
    () => {
      const services = readServices(instance)
      const left = services.filter((service) => service.name !== name)
      if (left.length < services.length) writeServices(instance, left)
      return { removed: left.length < services.length, streams: 0 }
    },
  )
}

/**
 * The agent does it, or this command while none runs. In between, as one starts or stops, and behind another
 * command, it waits.
 */
async function throughAgentOrFile<T>(
  instance: Instance,
  ask: () => Promise<T | undefined>,
  edit: () => T,
): Promise<T> {
  const outcome = await waitFor(
    async () => {
      const done = await ask()
      if (done !== undefined) return { done }
      const lock = await tryAgentLock(instance)
      if (!lock) return undefined
      try {
        return { done: edit() }
      } finally {
        lock.release()
      }
    },
    { timeoutMs: SETTLE_MS },
  )
  if (outcome) return outcome.done
  throw await whyNot(instance)
}

async function whyNot(instance: Instance): Promise<ConnectError> {
  const found = await findAgent(instance)
  if (found.state === 'unknown') return new ConnectError('AGENT_ELSEWHERE', found.reason)
  if (found.state !== 'running') {
    return new ConnectError('AGENT_BUSY', 'An agent is just starting or stopping', { hints: ['Try again.'] })
  }
  const { pid, mode } = found.agent
  const again = mode === 'daemon' ? 'run: connect daemon restart' : 'end it with Ctrl-C and start it again.'
  return new ConnectError('AGENT_BUSY', `The agent runs (PID: ${pid}), but nobody listens on its socket`, {
    hints: [`It looks after ${tilde(instance.socketPath)} every few seconds: try again. Else ${again}`],
  })
}
