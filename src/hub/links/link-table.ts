import { LineLimiter } from '../../log/line-limiter.ts'
import type { Link, LinkFrame, LinkHandler } from '../../tunnel/link/link.ts'
import { GOAWAY_CODES, type GoawayCode } from '../../tunnel/protocol/codes.ts'
import type { LinkClaims } from '../../tunnel/protocol/handshake.ts'
import { MAX_LINKS } from '../../tunnel/protocol/limits.ts'
import type { Message } from '../../tunnel/protocol/message.ts'
import { RefusedError } from '../auth/refused-error.ts'
import type { Registry } from '../registry/registry.ts'
import type { Agent } from '../store/store.ts'
import type { SwitchPort } from '../switch/switch-port.ts'
import { Switch } from '../switch/switch.ts'
import { ControlMessages, type ControlContext } from './control-messages.ts'
import { RegisteredServices } from './registered-services.ts'
import { ServingLinks } from './serving-links.ts'
import { Shutdown } from './shutdown.ts'
import { TokenBucket } from './token-bucket.ts'

/** A link that is up, and whose it is. */
interface ActiveLink {
  readonly agent: Agent
  readonly link: string
  readonly epoch: number
  readonly port: SwitchPort
  /** Where it comes from, numeric; undefined if that isn't known. */
  readonly address: string | undefined
  readonly control: ControlMessages
  /** When the registry was told last that it is up, in ms of performance.now(). */
  seenAt: number
}

/** How many lists of services an agent may send at once, and then in a second. */
const LISTS_AT_ONCE = 32
const LISTS_PER_SECOND = 16

/** How often the registry is told that a link is still up, in ms: a killed hub can't tell of its end. */
const SEEN_EVERY_MS = 3_600_000

/** How many links are looked at in one turn of the event loop. */
const TICKS_A_TURN = 500

export interface LinkTableOptions {
  readonly version: string
  readonly log: (line: string) => void
  /** How long a stream waits for a link that was lost, in ms; default 30,000. */
  readonly resumeMs?: number | undefined
  readonly openTimeoutMs?: number | undefined
}

/** The links that are up, and which connection of each is the newest. */
export class LinkTable {
  readonly #registry: Registry
  readonly #log: (line: string) => void
  readonly #lines = new LineLimiter()
  /** Of each agent that has any, the links by their ids. */
  readonly #byAgent = new Map<string, Map<string, ActiveLink>>()
  /** How many lists of services each agent may send. */
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #serving = new ServingLinks()
  readonly #switch: Switch
  readonly #controlContext: ControlContext
  readonly #shutdown = new Shutdown()

  constructor(registry: Registry, options: LinkTableOptions) {
    this.#registry = registry
    this.#log = options.log
    this.#switch = new Switch(new RegisteredServices(registry, this.#serving), options)
    this.#controlContext = { registry, switch: this.#switch, version: options.version }
  }

  /**
   * A link comes back with a higher epoch each time, so a delayed old attempt can't push out a newer one.
   *
   * @throws RefusedError
   */
  checkEpoch(agent: Agent, { link, epoch }: LinkClaims): void {
    const links = this.#linksOf(agent.id)
    const present = links.get(link)
    if (present && present.epoch >= epoch) {
      throw new RefusedError(409, 'superseded', 'A newer connection of this link is up.')
    }
    if (!present && links.size >= MAX_LINKS)
      throw new RefusedError(429, 'too_many', `This agent has ${MAX_LINKS} links already.`)
  }

  /**
   * Takes a link in; an older connection of the same link is closed at once.
   *
   * @param address where it comes from
   */
  add(agent: Agent, { link, epoch, role }: LinkClaims, connection: Link, address?: string): void {
    if (this.#shutdown.hasBegun) return this.#shutdown.sendAway(connection)
    const links = this.#linksOf(agent.id)
    const older = links.get(link)
    older?.port.link.close(GOAWAY_CODES.REPLACED, 'this link has come back on a newer connection')
    // Now, and not when the older socket is closed at last: the newer link comes for its streams.
    if (older) this.#switch.closed(older.port, GOAWAY_CODES.REPLACED)
    const port = this.#switch.add(connection, agent, { link, role })
    const bucket = this.#buckets.get(agent.id) ?? new TokenBucket(LISTS_AT_ONCE, LISTS_PER_SECOND)
    this.#buckets.set(agent.id, bucket)
    const failed = (error: unknown) => this.#failed(port, error)
    const control = new ControlMessages(this.#controlContext, agent, port, bucket, failed)
    const entry: ActiveLink = { agent, link, epoch, port, address, control, seenAt: performance.now() }
    links.set(link, entry)
    this.#byAgent.set(agent.id, links)
    this.#registry.seen(agent.id)
    const handler: LinkHandler = {
      frame: (frame, message) => this.#guarded(port, () => this.#frame(entry, frame, message)),
      relieved: () => this.#switch.relieved(port),
      waiting: (bytes) => this.#switch.waiting(port, bytes),
      closed: (reason, code) => {
        control.stop()
        this.#switch.closed(port, code)
        this.#remove(entry)
        this.#registry.seen(agent.id)
        if (!port.isServing) return
        this.#serving.remove(port, code !== undefined)
        this.#logOf(agent, 'disconnected', `disconnected: ${reason}`)
      },
    }
    connection.attach(handler, port.quota.pace)
    if (!port.isServing) return
    this.#serving.add(port)
    this.#logOf(agent, 'connected', 'connected')
  }

  /** Whether an agent process of this agent is connected. */
  isServing(agent: string): boolean {
    return this.#serving.newestOf(agent) !== undefined
  }

  /** How many agents have a process connected. */
  get servingCount(): number {
    return this.#serving.size
  }

  /** How many links are up, those of agents and those of reaches. */
  get linkCount(): number {
    let count = 0
    for (const links of this.#byAgent.values()) count += links.size
    return count
  }

  /** Whether a link is up that comes from such an address. */
  hasFrom(isMeant: (address: string) => boolean): boolean {
    for (const { address } of this.#all()) if (address !== undefined && isMeant(address)) return true
    return false
  }

  /** How many streams pass through, those included that wait for a link. */
  get streamCount(): number {
    return this.#switch.size
  }

  /** Closes all links of an agent. */
  close(agent: string, code: GoawayCode, message: string): void {
    for (const { port } of this.#linksOf(agent).values()) port.link.close(code, message)
  }

  /** To be called about once a second. */
  tick(): void {
    this.#tickSome(this.#all())
  }

  /** Ten thousand links take more than ten milliseconds: what comes meanwhile does not wait for all. */
  #tickSome(entries: Iterator<ActiveLink, void>): void {
    for (let left = TICKS_A_TURN; left > 0; left--) {
      const { value: entry } = entries.next()
      if (!entry) return
      entry.port.link.tick()
      this.#noteSeen(entry)
    }
    setImmediate(() => this.#tickSome(entries))
  }

  #noteSeen(entry: ActiveLink): void {
    const now = performance.now()
    if (now - entry.seenAt < SEEN_EVERY_MS) return
    entry.seenAt = now
    this.#registry.seen(entry.agent.id)
  }

  /** Asks every agent to come back, each after a moment of its own. */
  async shutdown(): Promise<void> {
    await this.#shutdown.begin([...this.#all()].map(({ port }) => port.link))
    for (const { port } of this.#all()) port.link.terminate('the hub is shutting down')
  }

  #frame(entry: ActiveLink, frame: LinkFrame, message: Message): void {
    switch (frame.type) {
      case 'ctrl': {
        entry.control.take(frame.message)
        break
      }
      case 'goaway': {
        // The agent says goodbye; its WebSocket closes next.
        break
      }
      default: {
        this.#switch.frame(entry.port, frame, message)
      }
    }
  }

  /** A mistake of ours in answering one link must not end the others. */
  #guarded(port: SwitchPort, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(port, error)
    }
  }

  #failed({ agent, link }: SwitchPort, error: unknown): void {
    this.#lines.write(
      `bug ${agent.id}`,
      this.#log,
      () => `[x] Bug while answering ${agent.id}: ${error instanceof Error ? error.stack : String(error)}`,
    )
    link.fail('the hub failed')
  }

  *#all(): Generator<ActiveLink, void> {
    for (const links of this.#byAgent.values()) yield* links.values()
  }

  #linksOf(agent: string): Map<string, ActiveLink> {
    return this.#byAgent.get(agent) ?? new Map()
  }

  /** The link is gone; a newer connection of it may have its place already. */
  #remove(entry: ActiveLink): void {
    const { id } = entry.agent
    const links = this.#linksOf(id)
    if (links.get(entry.link) === entry) links.delete(entry.link)
    if (links.size > 0) return
    this.#byAgent.delete(id)
    this.#buckets.delete(id)
    if (this.#byAgent.size === 0) this.#shutdown.emptied()
  }

  /** An agent that comes and goes at will gets a line of each kind a second. */
  #logOf(agent: Agent, kind: string, what: string): void {
    const label = this.#registry.agent(agent.id)?.label ?? agent.label
    this.#lines.write(`${kind} ${agent.id}`, this.#log, () => `${agent.id} (${label}) ${what}`)
  }
}
