import { requireConfig } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { readServices, withService, writeServices, type ExposedService } from '../config/services.ts'
import { exposeService, unexposeService } from '../control/client.ts'
import { ConnectError } from '../errors.ts'
import { tryLock } from '../files/lock.ts'

/** What became of a wish to expose. */
export type Exposure =
  /** The hub has confirmed it. */
  | { readonly state: 'confirmed' }
  /** An agent runs here, and will tell the hub once it can. */
  | { readonly state: 'saved'; readonly reason: string }
  /** No agent runs here: it is saved for when one does. */
  | { readonly state: 'no agent' }

/**
 * Exposes a service: through the running agent, else by saving it for the next one. Whoever holds the instance's lock
 * writes the file, so the two never do so at once.
 *
 * @throws ConnectError NOT_CONFIGURED, NAME_TAKEN, AGENT_BUSY, WRITE_FAILED
 */
export async function expose(instance: Instance, service: ExposedService): Promise<Exposure> {
  requireConfig(instance)
  const { name, host, port } = service
  const reply = await exposeService(instance, name, { host, port })
  if (reply)
    return reply.confirmed
      ? { state: 'confirmed' }
      : { state: 'saved', reason: reply.reason ?? 'not connected' }
  await withLock(instance, () => writeServices(instance, withService(readServices(instance), service)))
  return { state: 'no agent' }
}

/** @returns false if no such service was exposed */
export async function unexpose(instance: Instance, name: string): Promise<boolean> {
  requireConfig(instance)
  const reply = await unexposeService(instance, name)
  if (reply) return reply.removed
  return withLock(instance, () => {
    const services = readServices(instance)
    const left = services.filter((service) => service.name !== name)
    if (left.length < services.length) writeServices(instance, left)
    return left.length < services.length
  })
}

async function withLock<T>(instance: Instance, edit: () => T): Promise<T> {
  const lock = await tryLock(instance.lockFile)
  if (!lock)
    throw new ConnectError('AGENT_BUSY', 'An agent is just starting or stopping', { hints: ['Try again.'] })
  try {
    return edit()
  } finally {
    lock.release()
  }
}
