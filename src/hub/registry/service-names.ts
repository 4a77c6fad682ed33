import type { ClaimedService } from '../store/store.ts'

/** Which names there are, and whose, in memory: every OPEN asks here. */
export class ServiceNames {
  readonly #byName = new Map<string, ClaimedService>()
  /** The names of each agent that has any. */
  readonly #byAgent = new Map<string, readonly ClaimedService[]>()

  constructor(services: readonly ClaimedService[]) {
    for (const [agent, own] of Map.groupBy(services, (service) => service.agent)) this.set(agent, own)
  }

  get(workspace: string, name: string): ClaimedService | undefined {
    return this.#byName.get(keyOf(workspace, name))
  }

  in(workspace: string): ClaimedService[] {
    return [...this.#byName.values()].filter((service) => service.workspace === workspace)
  }

  of(agent: string): readonly ClaimedService[] {
    return this.#byAgent.get(agent) ?? NONE
  }

  /** Makes these the names of an agent, in place of those that the agent had. */
  set(agent: string, services: readonly ClaimedService[]): void {
    for (const service of this.of(agent)) {
      const key = keyOf(service.workspace, service.name)
      // Another agent may have the name by now: whoever claims that of an unknown agent gets it.
      if (this.#byName.get(key) === service) this.#byName.delete(key)
    }
    for (const service of services) this.#byName.set(keyOf(service.workspace, service.name), service)
    if (services.length > 0) this.#byAgent.set(agent, services)
    else this.#byAgent.delete(agent)
  }
}

const NONE: readonly ClaimedService[] = []

/** Whether two lists have the same names with the same ports, in whatever order. */
export function isSameNames(one: readonly ClaimedService[], other: readonly ClaimedService[]): boolean {
  return one.length === other.length && missingFrom(other, one).length === 0
}

/** Those of a list's services that another list doesn't have with the same port, or as little with one. */
export function missingFrom(
  other: readonly ClaimedService[],
  services: readonly ClaimedService[],
): ClaimedService[] {
  const known = new Map(other.map((service) => [service.name, service]))
  return services.filter(({ name, port }) => {
    const same = known.get(name)
    return !same || same.port !== port
  })
}

/** A name never has a slash in it, see config/service-name.ts. */
function keyOf(workspace: string, name: string): string {
  return `${workspace}/${name}`
}
