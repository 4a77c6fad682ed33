import { localAddressOf, type KeptReach } from '../config/reaches.ts'
import type { Neighbours } from '../control/presence/neighbours.ts'
import type { ReachStatus } from '../control/schema.ts'
import { ConnectError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { Clients } from '../reach/clients.ts'
import { accepting, keptAs, mayMeet, settlePort, type SettledReach } from '../reach/kept-port.ts'
import type { LocalPort } from '../reach/local-port.ts'
import type { Opener } from '../reach/opener.ts'
import { STREAM_CODES } from '../tunnel/protocol/codes.ts'
import { HeldPort, reserveToListen } from './held-port.ts'
import { LastFailure } from './last-failure.ts'

export interface HeldReachOptions {
  readonly opener: Opener
  readonly neighbours: Neighbours
  readonly hubId: string
  readonly log: Log
  /** How long a client waits to be carried, in ms. */
  readonly holdMs: number
  /** How often a port is tried that can't be had, in ms; default 500. */
  readonly retryMs?: number | undefined
  /** Why no more clients may come in; undefined if they may. */
  readonly whyFull: () => string | undefined
  /** A client is served, and nobody has said who alone may do so. */
  readonly onUnowned: () => void
  /** A client is gone. */
  readonly onLeft: () => void
}

/** A reach that is kept: its port, who connects there, and why that fails. */
export class HeldReach {
  /** The service's name. */
  readonly name: string
  readonly clients: Clients
  readonly #options: HeldReachOptions
  readonly #failure = new LastFailure()
  #agent: string | undefined
  /** Undefined until there is one to hold. */
  #port: HeldPort | undefined

  /** @param reach as it is kept already; its port is yet to be opened */
  constructor(name: string, options: HeldReachOptions, reach?: KeptReach) {
    this.name = name
    this.#options = options
    this.#agent = reach?.agent
    if (reach) this.#port = this.#portOf(reach)
    const { opener, neighbours, log, holdMs, whyFull, onUnowned, onLeft } = options
    this.clients = new Clients(opener, neighbours, {
      name,
      acceptor: () => this.#agent,
      log: (line, level) => log(line.replace(/^\[x\] /, `[x] ${name}: `), level),
      holdMs,
      whyFull,
      onOpened: () => {
        this.#failure.succeeded()
        if (this.#agent === undefined) onUnowned()
      },
      onFailed: (code, why) => this.#failed(code, why),
      onLeft,
    })
  }

  /** As it is kept; undefined until it is. */
  get reach(): KeptReach | undefined {
    const reach = this.#port?.reach
    return reach && { ...reach, ...(this.#agent !== undefined && { agent: this.#agent }) }
  }

  /** The agent that alone may serve it; undefined until one is known. */
  get agent(): string | undefined {
    return this.#agent
  }

  /**
   * Has this agent alone serve it from now on, while its port stays as it is.
   *
   * @param agent undefined for the one that does already
   * @param save is called with what there is to be kept
   * @throws what `save` throws; nothing is changed then
   */
  accept(agent: string | undefined, save: (reach: KeptReach) => void): 'accepted' | 'unchanged' {
    const before = this.reach!
    const { outcome, reach } = accepting(before, agent)
    if (reach === before) return outcome
    save(reach)
    this.#ownedBy(agent)
    return outcome
  }

  /** Begins to hold the port; it is tried until it is had. */
  open(): void {
    void this.#port?.open()
  }

  /**
   * Opens another port, and holds that one from then on. Until it is open, what was held before stays so.
   *
   * @param others all that are kept
   * @param save is called with what there is to be kept, once the port is open
   * @returns why the port is not the service's own: the beginning of a sentence
   * @throws ConnectError SYSTEM_FAILED, and as settlePort and `save`; then it holds what it held, and is over
   * if that was nothing
   */
  async move(
    settled: SettledReach,
    others: readonly KeptReach[],
    save: (reach: KeptReach) => void,
  ): Promise<string | undefined> {
    const before = this.#port
    let opened: LocalPort | undefined
    let giveBack: (() => void) | undefined
    try {
      // One that moves gives back what it has.
      if (!before?.addresses.length) giveBack = reserveToListen()
      opened = await settlePort(settled, others, (socket) => this.clients.take(socket), before?.opened)
      const reach = keptAs(settled, opened)
      save(reach)
      this.#ownedBy(settled.agent)
      before?.close(opened)
      this.#port = this.#portOf(reach)
      this.#port.hold(opened)
      return opened.because
    } catch (error) {
      opened?.close(before?.opened)
      if (!before) this.clients.close()
      throw before ? inItsOwnWay(before, settled, error) : error
    } finally {
      giveBack?.()
    }
  }

  /** The link to the hub is up. */
  linked(): void {
    this.#failure.linked()
  }

  /** As it stands; it is to be kept. */
  status(): ReachStatus {
    const { reach, failure, addresses, since } = this.#port!
    return {
      name: this.name,
      port: reach.port,
      bind: reach.bind ?? null,
      agent: this.#agent ?? null,
      addresses: [...addresses],
      code: failure?.code ?? null,
      reason: failure?.message ?? null,
      since: new Date(since).toISOString(),
      connections: this.clients.count,
      failure: this.#failure.current ?? null,
    }
  }

  /** Frees the port at once. Whoever has connected stays connected. */
  close(): void {
    this.#port?.close()
  }

  #ownedBy(agent: string | undefined): void {
    if (agent !== this.#agent) this.#failure.accepted()
    this.#agent = agent
  }

  #failed(code: number, why: string): void {
    const accepting = `; connect reach ${this.name} --keep accepts that`
    const reason = code === STREAM_CODES.OTHER_AGENT ? why + accepting : why
    this.#failure.failed(code, reason, this.#options.opener.isLinkUp)
  }

  #portOf(reach: KeptReach): HeldPort {
    const { hubId, log, retryMs } = this.#options
    return new HeldPort(reach, { hubId, log, retryMs, onClient: (socket) => this.clients.take(socket) })
  }
}

/** Says so if it was its own listener that kept a port from being opened on other addresses. */
function inItsOwnWay({ reach, addresses }: HeldPort, { port, bind }: SettledReach, error: unknown): unknown {
  const isInUse = error instanceof ConnectError && error.code === 'PORT_IN_USE'
  const isOurs = addresses.length > 0 && port === reach.port && mayMeet(reach.bind, bind)
  if (!isInUse || !isOurs) return error
  const { name } = reach
  const message = `${name} stays at ${localAddressOf(reach)}: ${localAddressOf({ bind: bind ?? null, port })} can’t be held beside it`
  const hints = [
    `Give up the port first: connect unreach ${name}`,
    `Then: connect reach ${name} --keep --port ${port} --bind ${bind ?? 'localhost'}`,
  ]
  return new ConnectError('PORT_IN_USE', message, { hints, cause: error })
}
