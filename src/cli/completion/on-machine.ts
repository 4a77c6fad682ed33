import { existsSync } from 'node:fs'
import { namedInstances } from '../../config/claimed-names.ts'
import { instanceFor, type AgentInstance } from '../../config/instance.ts'
import { readReaches } from '../../config/reaches.ts'
import { isServiceName } from '../../config/service-name.ts'
import { readServices } from '../../config/services.ts'
import { formatTarget } from '../../config/target.ts'
import { agentOffers } from '../../control/client.ts'
import { ANSWER_MS, quietly } from './quietly.ts'
import type { Candidate } from './shells/reply.ts'
import { untilde } from './untilde.ts'

/** A service that `connect reach` may be given. */
export interface Offered extends Candidate {
  /** Its own; none of a Unix socket's, or if that isn't known. */
  readonly port?: number | null
}

/** What the workspace offers, by the word of the agent; without that, what files of this machine name. */
export async function offeredServices(configFile: string | undefined): Promise<Offered[]> {
  const offers = await quietly(() => agentOffers(instanceOf(configFile), ANSWER_MS))
  if (!offers) return namedHere(configFile)
  // What a hub calls a service must not become an option.
  const named = offers.filter(({ name }) => isServiceName(name))
  return named.map(({ name, port, label, online }) => ({
    value: name,
    port,
    about: online ? `from ${label}` : `from ${label}, which is not connected`,
  }))
}

async function namedHere(configFile: string | undefined): Promise<Offered[]> {
  const kept = await quietly(() => keptHere(configFile))
  const own = await quietly(() => exposedHere(configFile))
  const all = [...(kept ?? []), ...(own ?? [])]
  return [...new Map(all.map((one) => [one.value, one])).values()]
}

/** @throws ConnectError if the file can't be read */
export function keptHere(configFile: string | undefined): Candidate[] {
  return readReaches(instanceOf(configFile)).map(({ name, port }) => ({
    value: name,
    about: `kept on port ${port}`,
  }))
}

/** @throws ConnectError if the file can't be read */
export function exposedHere(configFile: string | undefined): Candidate[] {
  return readServices(instanceOf(configFile)).map((one) => ({ value: one.name, about: formatTarget(one) }))
}

function instanceOf(configFile: string | undefined): AgentInstance {
  return instanceFor(configFile === undefined ? undefined : untilde(configFile))
}

/** What `--config` may be given, beside any other file. */
export function configFiles(): Candidate[] {
  const files = namedInstances().map(({ configFile }) => configFile)
  return files.filter((file) => existsSync(file)).map((value) => ({ value, about: 'another instance' }))
}
