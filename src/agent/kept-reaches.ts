import { existsSync } from 'node:fs'
import type { Instance } from '../config/instance.ts'
import { withReach, writeReaches, type KeptReach } from '../config/reaches.ts'
import { Neighbours } from '../control/presence.ts'
import type { KeepReply, KeepRequest, ReachStatus, UnreachReply, UnreachRequest } from '../control/schema.ts'
import type { HubLink } from '../hub-client/hub-link.ts'
import type { Log } from '../log/log.ts'
import { Clients } from '../reach/clients.ts'
import type { LocalPort } from '../reach/local-port.ts'
import { settlePort, settleReach } from '../reach/kept-port.ts'
import { HOLD_MS, Opener } from '../reach/opener.ts'
import { connectionPlaces } from '../runtime/connection-places.ts'
import { MAX_STREAMS, SHARE_OF_FREE } from '../tunnel/protocol/limits.ts'
import { HeldPort, reserveToListen } from './held-port.ts'
import { LastFailure } from './last-failure.ts'

/** What is exposed has the rest of the link's streams, and of the descriptors, whoever floods a kept port. */
const SHARE = 0.75

export interface KeptReachesOptions {
  readonly instance: Instance
  readonly hubId: string
  readonly log: Log
  /** Default 15,000. */
  readonly holdMs?: number
  /** How often a port is tried that can't be had, in ms; default 500. */
  readonly retryMs?: number
}

/** What is kept under one name. */
interface Kept {
  readonly clients: Clients
  readonly failure: LastFailure
  port: HeldPort
}

/** The reaches that are kept: their ports, and who connects there, over the agent's own link. */
export class KeptReaches {
  readonly #options: KeptReachesOptions
  readonly #opener: Opener
  readonly #neighbours = new Neighbours()
  readonly #kept = new Map<string, Kept>()
  /** Taken back, with connections that may come to their end. */
  readonly #draining = new Set<{ readonly name: string; readonly clients: Clients }>()
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(link: HubLink, reaches: readonly KeptReach[], options: KeptReachesOptions) {
    this.#options = options
    this.#opener = new Opener(link, options.holdMs ?? HOLD_MS)
    for (const reach of reaches) {
      const { clients, failure } = this.#newClients(reach.name)
      this.#kept.set(reach.name, { clients, failure, port: this.#portOf(reach, clients) })
    }
  }

  /** Begins to hold the ports. Each is tried until it is had. */
  start(): void {
    for (const { port } of this.#kept.values()) void port.open()
  }

  /** The link is up. */
  carry(): void {
    for (const { failure } of this.#kept.values()) failure.linked()
    this.#opener.carry()
  }

  status(): ReachStatus[] {
    return [...this.#kept.values()].map(statusOf)
  }

  /**
   * Keeps a reach, or moves it; what is kept already stays as it is.
   *
   * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN, SYSTEM_FAILED, WRITE_FAILED, BAD_VALUE; then nothing is
   * changed
   */
  keep(name: string, request: KeepRequest): Promise<KeepReply> {
    return this.#inTurn(async () => {
      const kept = this.#kept.get(name)
      const wish = settleReach(name, request, kept?.port.reach)
      if (!wish) return { outcome: 'unchanged', reach: statusOf(kept!), because: null }
      const { clients, failure } = kept ?? this.#newClients(name)
      // Its own listener would be in the way of one on another address.
      const isInItsOwnWay = wish.port === kept?.port.reach.port
      if (isInItsOwnWay) kept?.port.close()
      let opened: LocalPort | undefined
      let giveBack: (() => void) | undefined
      try {
        // One that moves gives back what it has.
        if (!kept?.port.addresses.length) giveBack = reserveToListen()
        opened = await settlePort(wish, this.#reaches, (socket) => clients.take(socket))
        const { bind } = wish
        const reach = { name, port: opened.port, ...(bind !== undefined && { bind }) }
        this.#save(withReach(this.#reaches, reach))
        kept?.port.close()
        const now = { clients, failure, port: this.#portOf(reach, clients) }
        this.#kept.set(name, now)
        now.port.hold(opened)
        return {
          outcome: kept ? 'moved' : 'kept',
          reach: statusOf(now),
          because: opened.because ?? null,
        }
      } catch (error) {
        opened?.close()
        if (!kept) clients.close()
        else if (isInItsOwnWay) {
          kept.port = this.#portOf(kept.port.reach, clients)
          void kept.port.open()
        }
        throw error
      } finally {
        giveBack?.()
      }
    })
  }

  /** Takes a reach back. @throws ConnectError WRITE_FAILED: nothing was changed */
  unreach(name: string, { drain }: UnreachRequest): Promise<UnreachReply> {
    return this.#inTurn(async () => {
      const kept = this.#kept.get(name)
      if (kept) {
        this.#save(this.#reaches.filter((reach) => reach.name !== name))
        this.#kept.delete(name)
        kept.port.close()
        this.#draining.add({ name, clients: kept.clients })
        this.#options.log(`No longer reaching ${name}`)
      }
      const left = [...this.#draining].filter((one) => one.name === name)
      const count = left.reduce((sum, { clients }) => sum + clients.count, 0)
      if (!drain) for (const { clients } of left) clients.close()
      this.#forgetDrained()
      return { removed: kept !== undefined, ended: drain ? 0 : count, connections: drain ? count : 0 }
    })
  }

  /** What is kept is to be so after a restart, too. @throws ConnectError WRITE_FAILED */
  holdFile(): void {
    if (this.#kept.size > 0 && !existsSync(this.#options.instance.reachesFile)) this.#save(this.#reaches)
  }

  stop(): void {
    for (const { port, clients } of this.#kept.values()) {
      port.close()
      clients.close()
    }
    for (const { clients } of this.#draining) clients.close()
  }

  get #reaches(): KeptReach[] {
    return [...this.#kept.values()].map(({ port }) => port.reach)
  }

  #save(reaches: readonly KeptReach[]): void {
    writeReaches(this.#options.instance, reaches)
  }

  #newClients(name: string): Pick<Kept, 'clients' | 'failure'> {
    const failure = new LastFailure()
    const { log, holdMs = HOLD_MS } = this.#options
    const clients = new Clients(this.#opener, this.#neighbours, {
      name,
      log: (line, level) => log(line.replace(/^\[x\] /, `[x] ${name}: `), level),
      holdMs,
      whyFull: () => this.#whyFull(name),
      onOpened: () => failure.succeeded(),
      onFailed: (code, why) => failure.failed(code, why, this.#opener.isLinkUp),
      onLeft: () => this.#forgetDrained(),
    })
    return { clients, failure }
  }

  #portOf(reach: KeptReach, clients: Clients): HeldPort {
    const { hubId, log, retryMs } = this.#options
    return new HeldPort(reach, { hubId, log, retryMs, onClient: (socket) => clients.take(socket) })
  }

  /** Who floods one port leaves room for clients of the others, see FairShares. */
  #whyFull(name: string): string | undefined {
    const most = Math.max(1, Math.floor(SHARE * Math.min(MAX_STREAMS, connectionPlaces.limit)))
    const all = [...this.#kept.values(), ...this.#draining].map(({ clients }) => clients)
    const countOf = (some: readonly Clients[]) => some.reduce((sum, { count }) => sum + count, 0)
    const [open, own] = [countOf(all), countOf(all.filter((clients) => clients.name === name))]
    if (open >= most) return `${open} are open, as many as all kept reaches may have together`
    if (this.#kept.size < 2 || own < SHARE_OF_FREE * (most - open)) return undefined
    return `${own} are open through it, and the ${most - open} more that may be are for other kept reaches`
  }

  #forgetDrained(): void {
    for (const one of this.#draining) {
      if (one.clients.count > 0) continue
      one.clients.close()
      this.#draining.delete(one)
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }
}

function statusOf({ port, clients, failure }: Kept): ReachStatus {
  const { name, port: number, bind = null } = port.reach
  return {
    name,
    port: number,
    bind,
    addresses: [...port.addresses],
    code: port.failure?.code ?? null,
    reason: port.failure?.message ?? null,
    since: new Date(port.since).toISOString(),
    connections: clients.count,
    failure: failure.current ?? null,
  }
}
