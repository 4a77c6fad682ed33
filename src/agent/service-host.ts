import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import type { KeptReach } from '../config/reaches.ts'
import { targetBefore, withService, writeServices, type ExposedService } from '../config/services.ts'
import { formatTarget } from '../config/target.ts'
import type { InstanceProcess } from '../control/process-record.ts'
import type {
  AgentStatus,
  ExposeReply,
  ExposeRequest,
  KeepReply,
  KeepRequest,
  OffersReply,
  UnexposeReply,
  TakeBackRequest,
  UnreachReply,
} from '../control/schema.ts'
import type { AgentControl } from '../control/server.ts'
import { ConnectError } from '../errors.ts'
import { askOffers } from '../hub-client/find-services.ts'
import { Signer } from '../hub-client/credential.ts'
import { HubClient } from '../hub-client/hub-client.ts'
import { HubLink } from '../hub-client/link/hub-link.ts'
import type { Refused } from '../hub-client/link/service-offers.ts'
import type { Log } from '../log/log.ts'
import { STREAM_CODES } from '../tunnel/protocol/codes.ts'
import { KeptReaches } from './kept-reaches.ts'
import { LoopGuard } from './loop-guard.ts'
import { serveStream, servedPorts } from './serve-stream.ts'

export interface ServiceHostOptions {
  readonly instance: AgentInstance
  readonly version: string
  readonly log: Log
}

/** How long until what the hub could not save is offered again, in ms. */
const OFFER_AGAIN_MS = 30_000

/** What is exposed and what is kept, and the link for both. */
export class ServiceHost implements AgentControl {
  readonly #config: Config
  readonly #identity: InstanceProcess
  readonly #options: ServiceHostOptions
  readonly #link: HubLink
  readonly #guard: LoopGuard
  readonly #reaches: KeptReaches
  #services: ReadonlyMap<string, ExposedService>
  /** Offers again what the hub could not save. */
  #again: NodeJS.Timeout | undefined

  constructor(
    config: Config,
    { services, reaches }: { services: readonly ExposedService[]; reaches: readonly KeptReach[] },
    identity: InstanceProcess,
    options: ServiceHostOptions,
  ) {
    this.#config = config
    this.#identity = identity
    this.#options = options
    this.#services = byName(services)
    this.#guard = new LoopGuard(config, options.instance, options.log)
    this.#link = new HubLink({
      config,
      role: 'agent',
      version: options.version,
      log: options.log,
      onStream: (stream) => serveStream(stream, this.#services, options.log, this.#guard),
      onConnected: () => {
        void this.#offerAll()
        this.#reaches.carry()
      },
    })
    const { instance, log } = options
    this.#reaches = new KeptReaches(this.#link, reaches, {
      instance,
      hubId: config.hubId,
      log,
      ownerOf: async (name) => (await new HubClient(config).service(new Signer(config), name))?.agent,
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#reaches.start()
    try {
      await this.#link.run(signal)
    } finally {
      this.#reaches.stop()
      this.#guard.stop()
    }
  }

  status(): AgentStatus {
    const { agentId, label, hub } = this.#config
    const { state } = this.#link
    return {
      agent: this.#identity,
      agentId,
      label,
      hubUrl: hub,
      hub: { ...state, since: new Date(state.since).toISOString() },
      services: [...this.#services.values()],
      reaches: this.#reaches.status(),
      streams: this.#link.streamCount,
    }
  }

  async offers(): Promise<OffersReply> {
    return { offers: await askOffers(this.#config) }
  }

  hopsOf(port: number): number | undefined {
    return servedPorts.get(port)
  }

  async expose(name: string, request: ExposeRequest): Promise<ExposeReply> {
    const before = [...this.#services.values()]
    const after = withService(before, { name, ...request })
    const was = targetBefore(before, { name, ...request })
    this.#save(after)
    const refused = await this.#link.offer(after)
    const refusal = refused?.find((refusedOne) => refusedOne.name === name)
    if (refusal) {
      // Other calls may have come in between: only this name is taken back.
      const others = [...this.#services.values()].filter((service) => service.name !== name)
      const previous = before.filter((service) => service.name === name)
      this.#save([...others, ...previous])
      throw refusalError(refusal)
    }
    if (refused) {
      this.#options.log(`[ok] Exposing ${name} (${formatTarget(request)})`)
      return { confirmed: true, was }
    }
    const { state } = this.#link
    return {
      confirmed: false,
      was,
      reason: state.state === 'retrying' ? state.reason : 'not connected to the hub yet',
    }
  }

  async unexpose(name: string, { drain }: TakeBackRequest): Promise<UnexposeReply> {
    const removed = this.#services.has(name)
    this.#save([...this.#services.values()].filter((service) => service.name !== name))
    const streams = this.#link.streamsTo(name, 'others')
    // Now, and not when the hub has answered: nobody waits for a hub that hangs.
    if (!drain)
      for (const stream of streams)
        stream.sever(STREAM_CODES.SERVICE_UNKNOWN, `"${name}" is no longer exposed`)
    if (removed) this.#options.log(`No longer exposing ${name}`)
    await this.#link.offer([...this.#services.values()])
    return drain
      ? { removed, ended: 0, connections: this.#link.streamsTo(name, 'others').length }
      : { removed, ended: streams.length, connections: 0 }
  }

  keep(name: string, request: KeepRequest): Promise<KeepReply> {
    return this.#reaches.keep(name, request)
  }

  unreach(name: string, request: TakeBackRequest): Promise<UnreachReply> {
    return this.#reaches.unreach(name, request)
  }

  /** What is exposed or kept is to be so after a restart, too. @throws ConnectError WRITE_FAILED */
  holdFiles(): void {
    this.#reaches.holdFile()
    const services = [...this.#services.values()]
    if (services.length > 0 && !existsSync(this.#options.instance.servicesFile)) this.#save(services)
  }

  #save(services: readonly ExposedService[]): void {
    writeServices(this.#options.instance, services)
    this.#services = byName(services)
  }

  #offerAgain(): void {
    clearTimeout(this.#again)
    this.#again = setTimeout(() => {
      if (this.#link.state.state === 'connected') void this.#offerAll()
    }, OFFER_AGAIN_MS)
    this.#again.unref()
  }

  async #offerAll(): Promise<void> {
    const { log } = this.#options
    const services = [...this.#services.values()]
    const refused = await this.#link.offer(services)
    if (!refused) return log('[!] The hub has not confirmed what is exposed here', 'warn')
    for (const { name, error, message } of refused)
      log(`[!] ${name} is not offered: ${error === undefined ? `it is ${message}` : message}`, 'warn')
    // What the hub can't save may go another time; a name that someone has stays theirs.
    if (refused.some(({ error }) => error === 'storage')) this.#offerAgain()
    const offered = services.filter(({ name }) => !refused.some((refusal) => refusal.name === name))
    const shown = offered.map((service) => `${service.name} (${formatTarget(service)})`)
    if (shown.length > 0) log(`[ok] Exposing ${shown.join(', ')}`)
  }
}

function refusalError({ name, error, message }: Refused[number]): ConnectError {
  if (error === undefined) return new ConnectError('NAME_TAKEN', `"${name}" is already ${message}`)
  const what = `"${name}" is not exposed: ${message}`
  return error === 'hub too old' ? new ConnectError('HUB_OLDER', what) : new ConnectError('HUB_ERROR', what)
}

function byName(services: readonly ExposedService[]): ReadonlyMap<string, ExposedService> {
  return new Map(services.map((service) => [service.name, service]))
}
