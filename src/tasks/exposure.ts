import { ensureInstanceFolder, requireConfig } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import {
  readServices,
  targetBefore,
  withService,
  writeServices,
  type ExposedService,
} from '../config/services.ts'
import type { Target } from '../config/target.ts'
import { exposeService, unexposeService } from '../control/client.ts'
import { refuseControlSocket } from '../control/control-socket.ts'
import type { TakeBackRequest } from '../control/schema.ts'
import { throughAgentOrFile } from './locks/through-agent.ts'

/** What became of a wish to expose, and which target the name had before, if it was another one. */
export type Exposure = Outcome & { readonly was: Target | undefined }

type Outcome =
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
 * @throws ConnectError NOT_CONFIGURED, BAD_TARGET, NAME_TAKEN, HUB_OLDER, AGENT_BUSY, WRITE_FAILED
 */
export async function expose(instance: AgentInstance, service: ExposedService): Promise<Exposure> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  const { name, ...target } = service
  if ('path' in target) refuseControlSocket(target.path, instance)
  return throughAgentOrFile<Exposure>(
    instance,
    async () => {
      const reply = await exposeService(instance, name, target)
      if (!reply) return undefined
      const { confirmed, was, reason = 'not connected' } = reply
      return confirmed ? { state: 'confirmed', was } : { state: 'saved', reason, was }
    },
    () => {
      const services = readServices(instance)
      writeServices(instance, withService(services, service))
      return { state: 'no agent', was: targetBefore(services, service) }
    },
  )
}

export interface Unexposure {
  /** The service was exposed here. */
  readonly removed: boolean
  /** How many connections to it were ended; null if the agent ends none: it is of an older version. */
  readonly ended: number | null
  /** How many connections to it stay open; null if the agent doesn't say. */
  readonly connections: number | null
}

/**
 * Takes a service back, and ends the connections to it.
 *
 * @param wish.drain leave those that are open until they end by themselves
 * @throws ConnectError NOT_CONFIGURED, AGENT_BUSY, WRITE_FAILED
 */
export async function unexpose(
  instance: AgentInstance,
  name: string,
  wish: TakeBackRequest,
): Promise<Unexposure> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  return throughAgentOrFile<Unexposure>(
    instance,
    async () => {
      const reply = await unexposeService(instance, name, wish)
      if (!reply) return undefined
      const { removed, ended = null, connections = null } = reply
      return { removed, ended, connections }
    },
    () => {
      const services = readServices(instance)
      const left = services.filter((service) => service.name !== name)
      if (left.length < services.length) writeServices(instance, left)
      return { removed: left.length < services.length, ended: 0, connections: 0 }
    },
  )
}
