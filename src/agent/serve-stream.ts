import type { Socket } from 'node:net'
import type { ExposedService } from '../config/services.ts'
import { formatTarget } from '../config/target.ts'
import type { Level } from '../log/line.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { targetNames } from '../net/name-resolver.ts'
import { describeNetworkError, networkErrorCode } from '../net/network-error.ts'
import { connectionPlaces } from '../runtime/connection-places.ts'
import { FairShares } from '../tunnel/bounds/fair-shares.ts'
import { STREAM_CODES, streamCodeName } from '../tunnel/protocol/codes.ts'
import { bridge } from '../tunnel/stream/bridge.ts'
import type { Stream } from '../tunnel/stream/stream.ts'
import { dialTarget } from './dial-target.ts'
import { LoopError, type LoopGuard } from './loop-guard.ts'

/** How long a target may take to answer, the lookup of its name included, in ms. */
const DIAL_TIMEOUT_MS = 10_000

/** Of each line about its connections, so many a second for each machine that opens them. */
const limiter = new LineLimiter({ lines: 20 })
const refusals = new LineLimiter()
const loops = new LineLimiter()

/**
 * Whose the connections to targets are, those included that are being made: one machine alone must not take
 * all, least of all with a target that doesn't answer.
 */
const openers = new FairShares()

/**
 * The local port of each connection to a target, with the hops of its stream: by it a shell finds out that
 * this agent carries it, and a `reach` how far its client has come.
 */
export const servedPorts = new Map<number, number>()

/**
 * Answers a stream that another agent opens: dials the service's target and joins the two. The hub names a
 * service, never an address: only what this machine exposes is ever dialled.
 */
export function serveStream(
  stream: Stream,
  services: ReadonlyMap<string, ExposedService>,
  agentLog: Log,
  guard?: LoopGuard,
): void {
  const log = limitedTo(stream.from, agentLog)
  const service = services.get(stream.service)
  if (!service) {
    log(
      'refused',
      () => `[!] Refused connection ${stream.shortId}: "${stream.service}" is not exposed here`,
      'warn',
    )
    stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, `"${stream.service}" is not exposed there any more`)
    return
  }
  const why = whyFullFor(stream.from)
  if (why !== undefined) {
    refusals.write(
      stream.from,
      (line) => agentLog(line, 'error'),
      () => `[x] Connections are refused: ${why}`,
    )
    stream.refuse(STREAM_CODES.LIMIT, `too many connections there: ${why}`)
    return
  }
  log('dialing', () => `Dialing ${formatTarget(service)} for connection ${stream.shortId}...`)
  const giveBack = connectionPlaces.take()
  openers.acquire(stream.from)
  const leave = () => {
    giveBack()
    openers.release(stream.from)
  }

  const refuse = (error: Error) => {
    leave()
    const target = formatTarget(service)
    const why = describeNetworkError(error)
    const line = () => `[x] Could not connect to ${target} for connection ${stream.shortId}: ${why}`
    // A client that is refused may come again at once.
    if (error instanceof LoopError) loops.write(target, (text) => agentLog(text, 'error'), line)
    else log('not connected', line, 'error')
    stream.refuse(codeFor(error), `the target ${target} can’t be reached: ${why}`)
  }
  const join = (socket: Socket) => {
    log('connected', () => `[ok] Connected to ${formatTarget(service)}`)
    // None of a Unix socket.
    const port = socket.localPort
    if (port !== undefined) servedPorts.set(port, stream.hops)
    socket.once('close', () => {
      leave()
      if (port !== undefined) servedPorts.delete(port)
    })
    stream.accept()
    bridge(socket, stream, {
      reset: (code, message) => {
        log(
          'failed',
          () => `[!] Connection ${stream.shortId} failed: ${message || streamCodeName(code)}`,
          'warn',
        )
      },
    })
  }
  const options = { names: targetNames, timeoutMs: DIAL_TIMEOUT_MS, guard }
  const cancel = dialTarget(service, options, (error, socket) => (socket ? join(socket) : refuse(error!)))
  // The opener went away while we dial.
  stream.onReset(() => {
    if (cancel()) leave()
  })
}

/** @returns why this machine gets no more connections here; undefined if it does */
function whyFullFor(opener: string): string | undefined {
  const { free, limit, whyFull } = connectionPlaces
  if (whyFull !== undefined) return whyFull
  if (openers.mayAcquire(opener, free)) return undefined
  return `${opener} has ${openers.of(opener)} of the ${limit} that "ulimit -n" leaves room for; the rest is for others`
}

/** Nothing listens there; without its file, a Unix socket has no listener either. */
const REFUSED: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT'])

function codeFor(error: Error): number {
  if (error instanceof LoopError) return STREAM_CODES.LOOP
  const isRefused = REFUSED.has(networkErrorCode(error))
  return isRefused ? STREAM_CODES.TARGET_REFUSED : STREAM_CODES.TARGET_UNREACHABLE
}

/**
 * A machine that opens connections without end must not fill the log: of each kind of line it gets some a
 * second, and the others are not even made.
 */
function limitedTo(opener: string, log: Log): (kind: string, line: () => string, level?: Level) => void {
  return (kind, line, level) => limiter.write(`${opener} ${kind}`, (text) => log(text, level), line)
}
