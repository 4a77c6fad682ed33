import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { announce, Neighbours, type Announcement } from '../control/presence.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { Signer } from '../hub-client/credential.ts'
import { HubClient } from '../hub-client/hub-client.ts'
import { HubLink } from '../hub-client/hub-link.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { connectionLimit, describeConnectionLimit } from '../runtime/descriptor-limit.ts'
import { STREAM_CODES, streamCodeName } from '../tunnel/protocol/codes.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'
import { MAX_HOPS, MAX_PENDING_OPENS, MAX_STREAMS } from '../tunnel/protocol/limits.ts'
import { bridge } from '../tunnel/stream/bridge.ts'
import { clientHops } from './client-hops.ts'
import { openLocalPort, type LocalPort } from './local-port.ts'
import { WaitingClients } from './waiting-clients.ts'

export interface ReachOptions {
  readonly config: Config
  readonly name: string
  /** Local address to listen on, default both loopbacks. */
  readonly bind?: string | undefined
  /** Local port; 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  readonly version: string
  readonly log: Log
  /** How long a new connection waits while the link is down, in ms, default 15,000; then it is reset. */
  readonly holdMs?: number
  /** How long a connection waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number
}

export interface Reached extends Pick<LocalPort, 'addresses' | 'port' | 'because'> {
  readonly service: OfferedService
  /** Settles when the signal says stop. @throws ConnectError REVOKED */
  readonly ended: Promise<void>
}

const HOLD_MS = 15_000

/**
 * Opens a local port that leads to a service of the workspace, over a link of its own.
 *
 * @throws ConnectError SERVICE_UNKNOWN, PORT_IN_USE, CANNOT_LISTEN, or what HubClient throws
 */
export async function reach(options: ReachOptions, signal: AbortSignal): Promise<Reached> {
  const { config, name, bind, version, log } = options
  const service = await new HubClient(config).service(new Signer(config), name)
  if (!service) throw new ConnectError('SERVICE_UNKNOWN', `There is no service "${name}"`)

  const link = new HubLink({
    config,
    role: 'client',
    version,
    log,
    ...(options.resumeMs !== undefined && { resumeMs: options.resumeMs }),
    onConnected: () => clients.carry(),
    // Nothing is exposed over this link, so nobody has any business opening a stream.
    onStream: (stream) => stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, 'nothing is exposed over this link'),
  })
  const neighbours = new Neighbours()
  const clients = new Clients(link, neighbours, options)
  const isOwnTaken = isOfThisMachine(service, config, neighbours)
  const localPort = await openLocalPort(
    { bind, port: options.port, own: service.port, isOwnTaken },
    (socket) => clients.take(socket),
  )
  const { addresses, port, because } = localPort
  const presence = tellNeighbours(
    { hubId: config.hubId, service: name, addresses: [...addresses], port },
    log,
  )
  const ended = link.run(signal).finally(() => {
    presence?.withdraw()
    localPort.close()
    clients.close()
  })
  return { service, addresses, port, because, ended }
}

/** Whether an agent here exposes the service: the target may be down now, and will want its port back. */
function isOfThisMachine({ agent }: OfferedService, { hubId, agentId }: Config, others: Neighbours): boolean {
  return agent === agentId || others.agents((one) => one.hubId === hubId && one.agentId === agent).length > 0
}

/** Announces our port, so that no agent of this machine takes it for a target, and goes round in a loop. */
function tellNeighbours(
  reach: { hubId: string; service: string; addresses: string[]; port: number },
  log: Log,
): Announcement | undefined {
  const failed = (error: unknown) => log(`[!] ${messageOf(error)}`, 'warn')
  try {
    return announce({ kind: 'reach', ...reach }, failed)
  } catch (error) {
    failed(error)
    return undefined
  }
}

/** The clients of a `reach`. Some wait for the link, or for a place among the streams without an answer. */
class Clients {
  readonly #link: HubLink
  readonly #neighbours: Neighbours
  readonly #name: string
  readonly #logError: (line: string) => void
  readonly #holdMs: number
  readonly #waiting: WaitingClients
  readonly #limit = connectionLimit()
  // Whoever connects in a loop must not fill the terminal.
  readonly #drops = new LineLimiter()
  readonly #resets = new LineLimiter({ lines: 20 })
  /** Streams that have no answer yet. */
  #opening = 0
  /** Clients of which agents are being asked how many streams they have come through. */
  #asked = 0
  #isLinkAwaited = false

  constructor(link: HubLink, neighbours: Neighbours, { name, log, holdMs = HOLD_MS }: ReachOptions) {
    this.#link = link
    this.#neighbours = neighbours
    this.#name = name
    this.#logError = (line) => log(line, 'error')
    this.#holdMs = holdMs
    this.#waiting = new WaitingClients(holdMs, () =>
      this.#say(
        `A connection was dropped: ${link.isUp ? 'too many wait for an answer' : 'no link to the hub'}`,
      ),
    )
  }

  take(socket: Socket): void {
    // Without a listener, a client that resets would be an uncaught error.
    socket.on('error', () => {})
    const open = this.#waiting.count + this.#asked + this.#link.streamCount
    if (open >= this.#limit) {
      socket.resetAndDestroy()
      return this.#say(`Connections are dropped: ${describeConnectionLimit(open)}`)
    }
    const hops = clientHops(socket, this.#neighbours)
    if (hops === undefined) this.#enter(socket, 0)
    else void this.#enterAfter(socket, hops)
  }

  /** Opens streams for as many of the waiting clients as can be carried now. */
  carry(): void {
    while (this.#waiting.count > 0 && this.#opening < MAX_PENDING_OPENS && this.#link.isUp) {
      const { socket, hops } = this.#waiting.take()!
      this.#open(socket, hops)
    }
    if (this.#waiting.count > 0 && !this.#link.isUp) this.#awaitLink()
  }

  /** Resets the clients that wait. */
  close(): void {
    for (let client = this.#waiting.take(); client; client = this.#waiting.take())
      client.socket.resetAndDestroy()
  }

  async #enterAfter(socket: Socket, hops: Promise<number>): Promise<void> {
    this.#asked++
    const count = await hops
    this.#asked--
    this.#enter(socket, count)
  }

  #enter(socket: Socket, hops: number): void {
    if (socket.destroyed) return
    if (hops > MAX_HOPS) {
      socket.resetAndDestroy()
      return this.#say(`A connection was dropped: it goes in a loop, through ${hops} services by now`)
    }
    if (this.#waiting.count === 0 && this.#opening < MAX_PENDING_OPENS && this.#open(socket, hops)) return
    // More clients than a link carries streams would wait for nothing.
    if (this.#waiting.count >= MAX_STREAMS) {
      socket.resetAndDestroy()
      return this.#say(`Connections are dropped: ${MAX_STREAMS} are waiting already`)
    }
    this.#waiting.add(socket, hops)
    this.carry()
  }

  /** @returns false while the link is down */
  #open(socket: Socket, hops: number): boolean {
    const stream = this.#link.open(this.#name, hops)
    if (!stream) return false
    this.#opening++
    let isOpening = true
    const answered = () => {
      if (!isOpening) return
      isOpening = false
      this.#opening--
      this.carry()
    }
    bridge(socket, stream, {
      opened: answered,
      reset: (code, message) => {
        const line = `[x] Connection ${stream.shortId} failed: ${message || streamCodeName(code)}`
        this.#resets.write('', this.#logError, () => line)
      },
      closed: answered,
    })
    socket.resume()
    return true
  }

  /** The link hurries as long as somebody waits. */
  #awaitLink(): void {
    if (this.#isLinkAwaited) return
    this.#isLinkAwaited = true
    void this.#link.whenConnected(this.#holdMs).finally(() => {
      this.#isLinkAwaited = false
      this.carry()
    })
  }

  #say(line: string): void {
    const [kind = ''] = line.split(':')
    this.#drops.write(kind, this.#logError, () => `[x] ${line}`)
  }
}
