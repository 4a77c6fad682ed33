import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { Config } from '../../config/config.ts'
import { ConnectError, messageOf } from '../../errors.ts'
import { isFatal } from '../../fatal-errors.ts'
import type { Log } from '../../log/log.ts'
import { beginWork } from '../../runtime/adapt-to-load.ts'
import { detectWake } from '../../runtime/wake-detection.ts'
import type { Link } from '../../tunnel/link/link.ts'
import { GOAWAY_CODES } from '../../tunnel/protocol/codes.ts'
import { encodeCtrl } from '../../tunnel/protocol/encode.ts'
import { HubMessage, type AgentMessage, type Role } from '../../tunnel/protocol/handshake.ts'
import { Mux } from '../../tunnel/stream/mux.ts'
import type { Stream } from '../../tunnel/stream/stream.ts'
import { Signer } from '../credential.ts'
import { dial } from '../dial.ts'
import { backoffMs, describePause, HEALTHY_AFTER_MS } from './reconnect-backoff.ts'
import { ServiceOffers, type OfferedName, type Refused } from './service-offers.ts'

export interface HubLinkOptions {
  readonly config: Config
  readonly role: Role
  readonly version: string
  readonly log: Log
  /** Another agent opens a stream to a service of ours. */
  readonly onStream: (stream: Stream) => void
  /** How long the hub may take to answer `hello`, in ms; default 10,000. */
  readonly welcomeTimeoutMs?: number
  /** How long a stream waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number
  /** The link is registered; called after every reconnection, too. */
  readonly onConnected?: () => void
}

/** How things stand with the hub. */
export type LinkState =
  | { readonly state: 'connecting'; readonly since: number }
  | { readonly state: 'connected'; readonly since: number }
  | { readonly state: 'retrying'; readonly since: number; readonly reason: string }

interface Connection {
  readonly link: Link
  readonly end: (reason: string) => void
  goaway: { code: number; afterMs: number } | undefined
}

const WELCOME_TIMEOUT_MS = 10_000

/** How long the hub may take to show that it is there after the machine slept, in ms. */
const PROBE_MS = 3000

/** The longest that a hub may send an agent away for, in ms. */
const MAX_AFTER_MS = 60_000

/** Keeps one link to the hub up: whatever may heal is retried for ever. */
export class HubLink {
  readonly #options: HubLinkOptions
  readonly #signer: Signer
  readonly #linkId = randomBytes(16).toString('hex')
  readonly #events = new EventEmitter<{ connected: [] }>()
  readonly #offers = new ServiceOffers((message) => this.#send(message))
  #epoch = 0
  #state: LinkState = { state: 'connecting', since: Date.now() }
  readonly #mux: Mux
  /** The connection that is there, registered or not. */
  #connection: Connection | undefined
  /** Whether that connection is registered. */
  #up = false
  /** Whether the hub takes services without a port. */
  #takesPortless = false
  /** Whether the hub opens a stream to no other agent than its OPEN names. */
  #seesToNames = false
  #everConnected = false
  /** Ends the wait before the next try. */
  #pause: AbortController | undefined
  /** Whether that wait ends as soon as somebody wants the link. */
  #isPatient = false
  /** How many wait for the link to come up. */
  #waiting = 0

  constructor(options: HubLinkOptions) {
    this.#options = options
    this.#signer = new Signer(options.config)
    this.#events.setMaxListeners(0)
    this.#mux = new Mux(
      {
        open: (stream) => {
          beginWork()
          options.onStream(stream)
        },
        ctrl: (message) => this.#receive(message),
        goaway: (code, afterMs) => {
          if (this.#connection) this.#connection.goaway = { code, afterMs }
        },
        closed: (reason) => this.#connection?.end(reason),
      },
      options,
    )
  }

  /** The hub's address. */
  get hub(): string {
    return this.#options.config.hub
  }

  get state(): LinkState {
    return this.#state
  }

  get streamCount(): number {
    return this.#mux.streamCount
  }

  /** See Mux. */
  streamsTo(service: string, openedBy: 'this end' | 'others'): Stream[] {
    return this.#mux.streamsTo(service, openedBy)
  }

  /**
   * Connects, and reconnects until the signal says stop.
   *
   * @throws ConnectError if a human must act: REVOKED, CONFIG_DAMAGED
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0
    const watch = detectWake(() => this.#woken())
    try {
      while (!signal.aborted) {
        const started = performance.now()
        const { reason, afterMs } = await this.#connectOnce(signal)
        if (signal.aborted) break
        if (performance.now() - started >= HEALTHY_AFTER_MS) failures = 0
        // The hub may ask for a longer pause, within reason; never for none: that would be a storm of tries.
        const isUrgent = this.streamCount > 0 || this.#waiting > 0
        const pauseMs = Math.max(backoffMs(failures++, { isUrgent }), Math.min(afterMs, MAX_AFTER_MS))
        this.#state = { state: 'retrying', since: Date.now(), reason }
        this.#options.log(`${reason}. Reconnecting ${describePause(pauseMs)}`, 'warn')
        this.#pause = new AbortController()
        this.#isPatient = !isUrgent && afterMs === 0
        await sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, this.#pause.signal]) }).catch(
          () => {},
        )
      }
    } finally {
      watch.stop()
      this.#mux.abandon('the agent is shutting down')
    }
  }

  /** The machine slept, or its network has changed: a link that still works says so soon, or is replaced. */
  #woken(): void {
    this.#connection?.link.probe(PROBE_MS)
    this.#pause?.abort()
  }

  /** Whether streams can be opened. */
  get isUp(): boolean {
    return this.#up
  }

  /**
   * Opens a stream to a service, or undefined while the link is down.
   *
   * @param hops see Mux
   * @param acceptor the agent that alone may accept it; to an older hub that is whoever has the service
   */
  open(service: string, hops = 0, acceptor?: string): Stream | undefined {
    beginWork()
    return this.#up ? this.#mux.open(service, hops, this.#seesToNames ? acceptor : undefined) : undefined
  }

  /**
   * Waits until the link is up.
   *
   * @returns false if it took longer
   */
  async whenConnected(timeoutMs: number): Promise<boolean> {
    if (this.#up) return true
    if (this.#isPatient) this.#pause?.abort()
    this.#waiting++
    return once(this.#events, 'connected', { signal: AbortSignal.timeout(timeoutMs) })
      .then(
        () => true,
        () => false,
      )
      .finally(() => this.#waiting--)
  }

  /**
   * Tells the hub all that this agent exposes.
   *
   * @returns what the hub refuses, and why, which includes what it is too old for; undefined if the link is
   * down or the hub doesn't answer
   */
  async offer(services: readonly OfferedName[]): Promise<Refused | undefined> {
    return this.#up ? this.#offers.offer(services, this.#takesPortless) : undefined
  }

  /** @returns why the link ended, and how long the hub asked us to stay away */
  async #connectOnce(signal: AbortSignal): Promise<{ reason: string; afterMs: number }> {
    if (this.#state.state === 'connected') this.#state = { state: 'connecting', since: Date.now() }
    try {
      const claims = { purpose: 'link', link: this.#linkId, epoch: ++this.#epoch, role: this.#options.role }
      const link = await dial(this.#options.config, (nonce) => this.#signer.sign(claims, nonce), signal)
      return await this.#serve(link, signal)
    } catch (error) {
      if (isFatal(error)) throw error
      return { reason: messageOf(error), afterMs: 0 }
    }
  }

  async #serve(link: Link, signal: AbortSignal): Promise<{ reason: string; afterMs: number }> {
    const { promise: ended, resolve: end } = Promise.withResolvers<string>()
    const connection: Connection = { link, end, goaway: undefined }
    this.#connection = connection
    const stop = () => link.close(GOAWAY_CODES.SHUTDOWN, 'the agent is shutting down')
    signal.addEventListener('abort', stop)
    const ticker = setInterval(() => link.tick(), 1000)
    const { welcomeTimeoutMs = WELCOME_TIMEOUT_MS } = this.#options
    const welcome = setTimeout(() => link.terminate('the hub did not answer'), welcomeTimeoutMs)
    const registered = () => clearTimeout(welcome)
    this.#events.once('connected', registered)
    try {
      const { version, config } = this.#options
      // The hub takes `hello` to mean that all streams have been told of that go on.
      this.#mux.connect(link)
      link.sendControl(encodeCtrl({ type: 'hello', version, label: config.label } satisfies AgentMessage))
      const reason = await ended
      const { goaway } = connection
      if (goaway?.code === GOAWAY_CODES.REVOKED)
        throw new ConnectError('REVOKED', 'The hub has revoked this agent')
      if (goaway?.code === GOAWAY_CODES.LOGGED_OUT)
        throw new ConnectError('REVOKED', 'This agent was logged out')
      return { reason: `Lost the link to the hub: ${reason}`, afterMs: goaway?.afterMs ?? 0 }
    } finally {
      clearInterval(ticker)
      clearTimeout(welcome)
      this.#events.off('connected', registered)
      signal.removeEventListener('abort', stop)
      this.#connection = undefined
      this.#up = false
      this.#offers.lost()
    }
  }

  #receive(message: unknown): void {
    const link = this.#connection!.link
    const parsed = v.safeParse(HubMessage, message)
    if (!parsed.success) return link.fail('a control message that this agent does not understand')
    if (parsed.output.type === 'services') return this.#offers.answered(parsed.output)
    const { log } = this.#options
    this.#up = true
    this.#takesPortless = parsed.output.portless
    this.#seesToNames = parsed.output.named
    this.#state = { state: 'connected', since: Date.now() }
    log('[ok] Registered with hub')
    log(`[ok] ${this.#everConnected ? 'Reconnected' : 'Connected'} to hub via WebSocket`)
    this.#everConnected = true
    this.#events.emit('connected')
    this.#options.onConnected?.()
  }

  #send(message: AgentMessage): void {
    this.#connection?.link.sendControl(encodeCtrl(message))
  }
}
