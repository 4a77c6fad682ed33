import { createServer, type Server, type Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { ConnectError } from '../errors.ts'
import { listenTcp } from '../net/listen.ts'
import { Places } from '../process/places.ts'
import { bridge } from '../tunnel/bridge.ts'
import { STREAM_CODES, streamCodeName } from '../tunnel/codes.ts'
import type { OfferedService } from '../tunnel/handshake.ts'
import { MAX_PENDING_OPENS, MAX_STREAMS } from '../tunnel/limits.ts'
import type { Stream } from '../tunnel/stream.ts'
import { Signer } from './credential.ts'
import { HubApi } from './hub-api.ts'
import { HubLink } from './hub-link.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { connectionLimit, describeConnectionLimit } from '../process/descriptors.ts'

export interface ReachOptions {
  readonly config: Config
  readonly name: string
  /** Local address to listen on, default 127.0.0.1. */
  readonly bind: string
  /** Local port; 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  readonly version: string
  readonly log: Log
  /** How long a new local connection waits while the link is down, in ms, default 15,000; then it is reset. */
  readonly holdMs?: number
  /** How long a connection waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number
}

export interface Reached {
  readonly service: OfferedService
  readonly host: string
  readonly port: number
  /** Settles when the signal says stop. @throws ConnectError REVOKED */
  readonly ended: Promise<void>
}

const HOLD_MS = 15_000

/** How many ports after the service's own are tried. */
const NEXT_PORTS = 20

/**
 * Opens a local port that leads to a service of the workspace, over a link of its own.
 *
 * @throws ConnectError SERVICE_UNKNOWN, PORT_IN_USE, CANNOT_LISTEN, or what HubApi throws
 */
export async function reach(options: ReachOptions, signal: AbortSignal): Promise<Reached> {
  const { config, name, bind, version, log } = options
  const offered = await new HubApi(config).services(new Signer(config))
  const service = offered.find((candidate) => candidate.name === name)
  if (!service) throw new ConnectError('SERVICE_UNKNOWN', `There is no service "${name}"`)

  const link = new HubLink({
    config,
    role: 'client',
    version,
    log,
    ...(options.resumeMs !== undefined && { resumeMs: options.resumeMs }),
    // Nothing is exposed over this link, so nobody has any business opening one.
    onStream: (stream) => stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, 'nothing is exposed over this link'),
  })
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const opening = new Places(MAX_PENDING_OPENS)
  const logError = (line: string) => log(line, 'error')
  const [dropped, broken] = [new LineLimiter(), new LineLimiter({ lines: 20 })]
  // Whoever connects in a loop must not fill the terminal.
  const limited: Log = (line) => broken.write('', logError, () => line)
  const limit = connectionLimit()
  let held = 0
  server.on('connection', (socket) => {
    const open = held + link.streamCount
    // More of them than a link carries would wait for nothing.
    if (held >= MAX_STREAMS || open >= limit) {
      const why = open >= limit ? describeConnectionLimit(open) : `${held} are waiting already`
      dropped.write('', logError, () => `[x] Connections are dropped: ${why}`)
      socket.resetAndDestroy()
      return
    }
    held++
    void carry(socket, link, opening, { ...options, log: limited }).finally(() => held--)
  })
  const port = await listenOn(
    server,
    bind,
    options.port === undefined ? candidatePorts(service.port) : [options.port],
  )
  const ended = link.run(signal).finally(() => server.close())
  return { service, host: bind, port, ended }
}

async function carry(
  socket: Socket,
  link: HubLink,
  opening: Places,
  { name, log, holdMs = HOLD_MS }: ReachOptions,
): Promise<void> {
  const until = performance.now() + holdMs
  // Held without an error listener, a client that resets would be an uncaught error.
  socket.on('error', () => {})
  await opening.take()
  const stream = await openStream(socket, link, name, until)
  if (!stream) {
    opening.leave()
    if (socket.destroyed) return
    log('[x] A connection was dropped: no link to the hub', 'error')
    socket.resetAndDestroy()
    return
  }
  let isOpening = true
  const answered = () => {
    if (isOpening) opening.leave()
    isOpening = false
  }
  bridge(socket, stream, {
    opened: answered,
    reset(code, message) {
      log(`[x] Connection ${stream.shortId} failed: ${message || streamCodeName(code)}`, 'error')
    },
    closed: answered,
  })
  socket.resume()
}

/** @returns undefined if the client is gone, or there was no link in time */
async function openStream(
  socket: Socket,
  link: HubLink,
  name: string,
  until: number,
): Promise<Stream | undefined> {
  for (;;) {
    const leftMs = Math.ceil(until - performance.now())
    const isUp = await link.whenConnected(Math.max(0, leftMs))
    const stream = socket.destroyed ? undefined : link.open(name)
    if (stream || !isUp || socket.destroyed) return stream
  }
}

function candidatePorts(own: number): number[] {
  const next = Array.from({ length: NEXT_PORTS }, (_, index) => own + index).filter((port) => port <= 65_535)
  return [...next, 0]
}

/** Takes the first of these ports that can be had. */
async function listenOn(server: Server, host: string, ports: readonly number[]): Promise<number> {
  const [port = 0, ...others] = ports
  try {
    return await listenTcp(server, host, port)
  } catch (error) {
    if (others.length === 0) throw error
    return listenOn(server, host, others)
  }
}
