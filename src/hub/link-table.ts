import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { printable } from '../config/label.ts'
import { STREAM_CODES, GOAWAY_CODES, type GoawayCode } from '../tunnel/codes.ts'
import { encodeCtrl } from '../tunnel/encode.ts'
import {
  HelloMessage,
  ServicesHead,
  ServicesMessage,
  type HubMessage,
  type LinkClaims,
  type Role,
} from '../tunnel/handshake.ts'
import { MAX_LINKS } from '../tunnel/limits.ts'
import type { Link, LinkFrame, LinkHandler } from '../tunnel/link.ts'
import type { Message } from '../tunnel/message.ts'
import { Allowance } from './allowance.ts'
import { Absences } from './absences.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import { RefusedError } from './refused-error.ts'
import type { Directory, Unreachable } from './directory.ts'
import { Offers } from './offers.ts'
import type { RefusedName, Registry } from './registry.ts'
import type { Agent } from './store.ts'
import { SwitchPort } from './switch-port.ts'
import { Switch } from './switch.ts'

/** A link that is up, and whose it is. */
interface Entry {
  readonly agent: Agent
  readonly role: Role
  readonly link: string
  readonly epoch: number
  readonly port: SwitchPort
  readonly offers: Offers<RefusedName[]>
}

/** How many lists of services an agent may send at once, and then in a second. */
const LISTS_AT_ONCE = 32
const LISTS_PER_SECOND = 16

/** How long a shutdown waits for the agents to be told, in ms. */
const GOODBYE_MS = 200

/** As much of a label as a refusal shows: all refusals together must fit into one CTRL. */
const SHOWN_LABEL = 40

/** Agents are asked to come back spread over this time after a shutdown, in ms. */
const RETURN_SPREAD_MS = 2000

export interface LinkTableOptions {
  readonly version: string
  readonly log: (line: string) => void
  /** How long a stream waits for a link that was lost, in ms; default 30,000. */
  readonly resumeMs?: number | undefined
  readonly openTimeoutMs?: number | undefined
}

/** The links that are up: which is the newest of each, and which agent serves what. */
export class LinkTable {
  readonly #registry: Registry
  readonly #version: string
  readonly #log: (line: string) => void
  readonly #lines = new LineLimiter()
  readonly #entries = new Map<string, Entry>()
  /** How many links each agent has. */
  readonly #counts = new Map<string, number>()
  /** How many lists of services each of them may send. */
  readonly #allowances = new Map<string, Allowance>()
  /** Of each agent, the links that serve; the newest is last. */
  readonly #serving = new Map<string, Entry[]>()
  readonly #absences = new Absences()
  readonly #switch: Switch

  constructor(registry: Registry, options: LinkTableOptions) {
    this.#registry = registry
    this.#version = options.version
    this.#log = options.log
    const directory: Directory = {
      resolve: (from, service) => this.#resolve(from, service),
      mayReach: ({ workspace }, service, acceptor) =>
        workspace === acceptor.workspace && registry.service(workspace, service)?.agent === acceptor.id,
    }
    this.#switch = new Switch(directory, options)
  }

  /**
   * A link comes back with a higher epoch each time, so a delayed old attempt can't push out a newer one.
   *
   * @throws RefusedError
   */
  checkEpoch(agent: Agent, { link, epoch }: LinkClaims): void {
    const present = this.#entries.get(`${agent.id}/${link}`)
    if (present && present.epoch >= epoch) {
      throw new RefusedError(409, 'superseded', 'A newer connection of this link is up.')
    }
    if (!present && (this.#counts.get(agent.id) ?? 0) >= MAX_LINKS)
      throw new RefusedError(429, 'too_many', `This agent has ${MAX_LINKS} links already.`)
  }

  /** Takes a link in; an older connection of the same link is closed at once. */
  add(agent: Agent, { link, epoch, role }: LinkClaims, connection: Link): void {
    const id = `${agent.id}/${link}`
    const older = this.#entries.get(id)
    older?.port.link.close(GOAWAY_CODES.REPLACED, 'this link has come back on a newer connection')
    // Now, and not when its socket is closed at last: the newer one comes for its streams.
    if (older) this.#switch.closed(older.port, GOAWAY_CODES.REPLACED)
    const account = this.#switch.account(agent.id)
    const port = new SwitchPort(connection, agent, account, { link, role })
    const allowance = this.#allowances.get(agent.id) ?? new Allowance(LISTS_AT_ONCE, LISTS_PER_SECOND)
    this.#allowances.set(agent.id, allowance)
    const offers = new Offers(
      allowance,
      (message) => this.#claim(entry, message),
      (seq, refused) => this.#answer(entry, { type: 'services', seq, refused: refused.map(shownRefusal) }),
    )
    const entry: Entry = { agent, role, link, epoch, port, offers }
    this.#entries.set(id, entry)
    if (!older) this.#counts.set(agent.id, (this.#counts.get(agent.id) ?? 0) + 1)
    const handler: LinkHandler = {
      frame: (frame, message) => this.#guarded(entry, () => this.#frame(entry, frame, message)),
      relieved: () => this.#switch.relieved(port),
      waiting: (bytes) => this.#switch.waiting(port, bytes),
      closed: (reason, code) => {
        offers.stop()
        this.#switch.closed(port, code)
        if (this.#entries.get(id) === entry) this.#remove(id, agent.id)
        if (role !== 'agent') return
        this.#stopServing(entry)
        if (code === undefined) this.#absences.lost(agent.id)
        else this.#absences.left(agent.id)
        this.#logOf(agent, 'disconnected', `disconnected: ${reason}`)
      },
    }
    connection.attach(handler, account.pace)
    if (role !== 'agent') return
    this.#serving.set(agent.id, [...this.#servingLinks(agent.id), entry])
    this.#logOf(agent, 'connected', 'connected')
  }

  /** Whether an agent process of this agent is connected. */
  isServing(agent: string): boolean {
    return this.#newestServing(agent) !== undefined
  }

  /** How many streams pass through, those included that wait for a link. */
  get streamCount(): number {
    return this.#switch.size
  }

  /** Closes all links of an agent. */
  close(agent: string, code: GoawayCode, message: string): void {
    for (const entry of this.#entries.values())
      if (entry.agent.id === agent) entry.port.link.close(code, message)
  }

  /** To be called about once a second. */
  tick(): void {
    for (const { port } of this.#entries.values()) port.link.tick()
  }

  /** Asks every agent to come back after a moment, each after another. */
  async shutdown(): Promise<void> {
    if (this.#entries.size === 0) return
    for (const { port } of this.#entries.values()) {
      port.link.close(
        GOAWAY_CODES.SHUTDOWN,
        'the hub is shutting down',
        Math.floor(Math.random() * RETURN_SPREAD_MS),
      )
    }
    await sleep(GOODBYE_MS)
    for (const { port } of this.#entries.values()) port.link.terminate('the hub is shutting down')
  }

  #frame(entry: Entry, frame: LinkFrame, message: Message): void {
    switch (frame.type) {
      case 'ctrl': {
        this.#ctrl(entry, frame.message)
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
  #guarded(entry: Entry, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(entry, error)
    }
  }

  #failed({ agent, port }: Entry, error: unknown): void {
    this.#lines.write(
      `bug ${agent.id}`,
      this.#log,
      () => `[x] Bug while answering ${agent.id}: ${error instanceof Error ? error.stack : String(error)}`,
    )
    port.link.fail('the hub failed')
  }

  #ctrl(entry: Entry, message: unknown): void {
    const { agent, role, port } = entry
    if (v.is(ServicesHead, message)) {
      if (role !== 'agent') return port.link.fail('only an agent offers services')
      const taken = entry.offers.add(message.seq, message)
      if (!taken) return port.link.fail('too many lists of services at once')
      taken.catch((error: unknown) => this.#failed(entry, error))
    } else if (v.is(HelloMessage, message)) {
      if (port.isReady) return port.link.fail('a second hello')
      this.#registry.setLabel(agent.id, message.label)
      this.#answer(entry, { type: 'welcome', hub: this.#registry.hubId, version: this.#version })
      this.#switch.ready(port)
    } else notUnderstood(port.link)
  }

  async #claim({ agent, port }: Entry, message: unknown): Promise<RefusedName[] | undefined> {
    if (v.is(ServicesMessage, message)) return this.#registry.claim(agent, message.services)
    notUnderstood(port.link)
    return undefined
  }

  #answer({ port }: Entry, message: HubMessage): void {
    port.link.sendControl(encodeCtrl(message))
  }

  #resolve(from: SwitchPort, name: string): SwitchPort | Unreachable {
    const service = this.#registry.service(from.agent.workspace, name)
    if (!service) return { code: STREAM_CODES.SERVICE_UNKNOWN, message: `there is no service "${name}"` }
    const agent = this.#registry.agent(service.agent)
    return (
      this.#newestServing(service.agent)?.port ?? {
        code: STREAM_CODES.AGENT_OFFLINE,
        message: `${agent?.label ?? service.agent}, which exposes "${name}", is not connected`,
        isExpected: this.#absences.isExpected(service.agent),
      }
    )
  }

  #servingLinks(agent: string): Entry[] {
    return this.#serving.get(agent) ?? []
  }

  #newestServing(agent: string): Entry | undefined {
    return this.#servingLinks(agent).findLast((entry) => entry.port.link.isOpen)
  }

  #stopServing(entry: Entry): void {
    const left = this.#servingLinks(entry.agent.id).filter((other) => other !== entry)
    if (left.length > 0) this.#serving.set(entry.agent.id, left)
    else this.#serving.delete(entry.agent.id)
  }

  #remove(id: string, agent: string): void {
    const left = this.#counts.get(agent)! - 1
    this.#entries.delete(id)
    if (left > 0) this.#counts.set(agent, left)
    else {
      this.#counts.delete(agent)
      this.#allowances.delete(agent)
    }
  }

  /** Whoever comes and goes at will gets a line of each kind a second. */
  #logOf(agent: Agent, kind: string, what: string): void {
    const label = this.#registry.agent(agent.id)?.label ?? agent.label
    this.#lines.write(`${kind} ${agent.id}`, this.#log, () => `${agent.id} (${label}) ${what}`)
  }
}

function notUnderstood(link: Link): void {
  link.fail('a control message that this hub does not understand')
}

function shownRefusal({ name, owner, reason }: RefusedName): {
  name: string
  error?: string
  message: string
} {
  if (!owner) return { name, error: 'storage', message: `the hub can’t save it: ${reason}` }
  return { name, message: `exposed by ${printable(owner.label).slice(0, SHOWN_LABEL)} (${owner.id})` }
}
