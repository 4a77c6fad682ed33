import { existsSync } from 'node:fs'
import type { AgentInstance } from '../config/instance.ts'
import { withReach, writeReaches, type KeptReach } from '../config/reaches.ts'
import { Neighbours } from '../control/presence/neighbours.ts'
import type { KeepReply, KeepRequest, ReachStatus, UnreachReply, TakeBackRequest } from '../control/schema.ts'
import { ConnectError, messageOf } from '../errors.ts'
import type { HubLink } from '../hub-client/link/hub-link.ts'
import type { Log } from '../log/log.ts'
import { settleReach } from '../reach/kept-port.ts'
import { HOLD_MS, Opener } from '../reach/opener.ts'
import { connectionPlaces } from '../runtime/connection-places.ts'
import { MAX_STREAMS, SHARE_OF_FREE } from '../tunnel/protocol/limits.ts'
import { HeldReach } from './held-reach.ts'

/** What is exposed has the rest of the link's streams, and of the descriptors, whoever floods a kept port. */
const CLIENTS_SHARE = 0.75

export interface KeptReachesOptions {
  readonly instance: AgentInstance
  readonly hubId: string
  readonly log: Log
  /**
   * Asks the hub whose the service of that name is.
   *
   * @returns the agent's id; undefined if it is nobody's
   * @throws ConnectError HUB_UNREACHABLE, REVOKED
   */
  readonly ownerOf: (name: string) => Promise<string | undefined>
  /** Default 15,000. */
  readonly holdMs?: number
  /** How often a port is tried that can't be had, in ms; default 500. */
  readonly retryMs?: number
}

/** The reaches that are kept: their ports, and who connects there, over the agent's own link. */
export class KeptReaches {
  readonly #options: KeptReachesOptions
  readonly #opener: Opener
  readonly #neighbours = new Neighbours()
  readonly #kept = new Map<string, HeldReach>()
  /** Taken back, with connections that may come to their end. */
  readonly #draining = new Set<HeldReach>()
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #isAdopting = false
  #isStopped = false

  constructor(link: HubLink, reaches: readonly KeptReach[], options: KeptReachesOptions) {
    this.#options = options
    this.#opener = new Opener(link, options.holdMs ?? HOLD_MS)
    for (const reach of reaches) this.#kept.set(reach.name, this.#held(reach.name, reach))
  }

  /** Begins to hold the ports. Each is tried until it is had. */
  start(): void {
    for (const held of this.#kept.values()) held.open()
  }

  /** The link is up. */
  carry(): void {
    for (const held of this.#kept.values()) held.linked()
    this.#opener.carry()
    void this.#adopt()
  }

  status(): ReachStatus[] {
    return [...this.#kept.values()].map((held) => held.status())
  }

  /**
   * Keeps a reach, moves it, or accepts whoever serves it now; else what is kept already stays as it is.
   *
   * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN, SYSTEM_FAILED, WRITE_FAILED, BAD_VALUE; then nothing is
   * changed
   */
  keep(name: string, request: KeepRequest): Promise<KeepReply> {
    return this.#inTurn(async () => {
      const kept = this.#kept.get(name)
      const settled = settleReach(name, request, kept?.reach)
      const save = (reach: KeptReach) => this.#save(withReach(this.#reaches, reach))
      if (!settled) {
        const outcome = kept!.accept(request.agent, save)
        return { outcome, reach: kept!.status(), because: null }
      }
      const held = kept ?? this.#held(name)
      const because = await held.move(settled, this.#reaches, save)
      this.#kept.set(name, held)
      if (this.#opener.isLinkUp) void this.#adopt()
      return { outcome: kept ? 'moved' : 'kept', reach: held.status(), because: because ?? null }
    })
  }

  /** Takes a reach back. @throws ConnectError WRITE_FAILED: nothing was changed */
  unreach(name: string, { drain }: TakeBackRequest): Promise<UnreachReply> {
    return this.#inTurn(async () => {
      const kept = this.#kept.get(name)
      if (kept) {
        this.#save(this.#reaches.filter((reach) => reach.name !== name))
        this.#kept.delete(name)
        kept.close()
        this.#draining.add(kept)
        this.#options.log(`No longer reaching ${name}`)
      }
      const left = [...this.#draining].filter((one) => one.name === name)
      const count = clientsOf(left)
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
    this.#isStopped = true
    for (const held of this.#kept.values()) {
      held.close()
      held.clients.close()
    }
    for (const { clients } of this.#draining) clients.close()
  }

  get #reaches(): KeptReach[] {
    return [...this.#kept.values()].map(({ reach }) => reach!)
  }

  /** Of what is kept without a word of whose it is, whoever serves it now is the one that alone may. */
  async #adopt(): Promise<void> {
    if (this.#isAdopting) return
    this.#isAdopting = true
    try {
      for (const held of this.#kept.values()) {
        if (held.agent !== undefined) continue
        const agent = await this.#options.ownerOf(held.name)
        await this.#inTurn(async () => {
          const isKept = this.#kept.get(held.name) === held && !this.#isStopped
          if (isKept && held.agent === undefined)
            held.accept(agent, (reach) => this.#trySave(withReach(this.#reaches, reach)))
        })
      }
    } catch (error) {
      // The next connection is another occasion.
      if (!(error instanceof ConnectError)) throw error
    } finally {
      this.#isAdopting = false
    }
  }

  /** What can't be written down now holds for as long as the agent runs. */
  #trySave(reaches: readonly KeptReach[]): void {
    try {
      this.#save(reaches)
    } catch (error) {
      this.#options.log(`[!] ${messageOf(error)}`, 'warn')
    }
  }

  #save(reaches: readonly KeptReach[]): void {
    writeReaches(this.#options.instance, reaches)
  }

  #held(name: string, reach?: KeptReach): HeldReach {
    const { hubId, log, holdMs = HOLD_MS, retryMs } = this.#options
    const options = {
      opener: this.#opener,
      neighbours: this.#neighbours,
      hubId,
      log,
      holdMs,
      retryMs,
      whyFull: () => this.#whyFull(name),
      onUnowned: () => void this.#adopt(),
      onLeft: () => this.#forgetDrained(),
    }
    return new HeldReach(name, options, reach)
  }

  /** Who floods one port leaves room for clients of the others, see FairShares. */
  #whyFull(name: string): string | undefined {
    const most = Math.max(1, Math.floor(CLIENTS_SHARE * Math.min(MAX_STREAMS, connectionPlaces.limit)))
    const all = [...this.#kept.values(), ...this.#draining]
    const [open, own] = [clientsOf(all), clientsOf(all.filter((one) => one.name === name))]
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

function clientsOf(reaches: readonly HeldReach[]): number {
  return reaches.reduce((sum, { clients }) => sum + clients.count, 0)
}
