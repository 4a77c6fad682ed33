import { STREAM_CODES } from '../../tunnel/protocol/codes.ts'
import type { Registry } from '../registry/registry.ts'
import type { AgentRef } from '../switch/agent-ref.ts'
import type { ServiceResolver, Unreachable } from '../switch/service-resolver.ts'
import type { SwitchPort } from '../switch/switch-port.ts'
import type { ServingLinks } from './serving-links.ts'

/** What the registry says that agents offer, on the links where they serve it now. */
export class RegisteredServices implements ServiceResolver {
  readonly #registry: Registry
  readonly #serving: ServingLinks

  constructor(registry: Registry, serving: ServingLinks) {
    this.#registry = registry
    this.#serving = serving
  }

  resolve({ workspace }: AgentRef, name: string, named?: string): SwitchPort | Unreachable {
    const service = this.#registry.service(workspace, name)
    if (!service) return { code: STREAM_CODES.SERVICE_UNKNOWN, message: `there is no service "${name}"` }
    const label = this.#registry.agent(service.agent)?.label ?? service.agent
    if (named !== undefined && named !== service.agent) {
      const message = `"${name}" is now served by another machine, ${label}`
      return { code: STREAM_CODES.OTHER_AGENT, message }
    }
    return (
      this.#serving.newestOf(service.agent) ?? {
        code: STREAM_CODES.AGENT_OFFLINE,
        message: `${label}, which exposes "${name}", is not connected`,
        isExpected: this.#serving.isExpected(service.agent),
      }
    )
  }

  servicesOf({ id }: AgentRef): string[] {
    return this.#registry.servicesOf(id).map(({ name }) => name)
  }

  mayReach({ workspace }: AgentRef, service: string, acceptor: AgentRef): boolean {
    return (
      workspace === acceptor.workspace && this.#registry.service(workspace, service)?.agent === acceptor.id
    )
  }
}
