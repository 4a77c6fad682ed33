import { connect } from 'node:net'
import type { ExposedService } from '../config/services.ts'
import { formatTarget } from '../config/target.ts'
import { bridge } from '../tunnel/bridge.ts'
import { STREAM_CODES, streamCodeName } from '../tunnel/codes.ts'
import type { Stream } from '../tunnel/stream.ts'
import type { Log } from '../log/log.ts'
import { describeNetworkError, networkErrorCode } from './network-error.ts'

/** How long a target may take to answer, in ms. */
const DIAL_TIMEOUT_MS = 10_000

/** The local ports of the connections to targets: by them a shell finds out that this agent carries it. */
export const servedPorts = new Set<number>()

/**
 * Answers a stream that another agent opens: dials the service's target and joins the two. The hub names a service,
 * never an address: only what this machine exposes is ever dialled.
 */
export function serve(stream: Stream, services: ReadonlyMap<string, ExposedService>, log: Log): void {
  const service = services.get(stream.service)
  if (!service) {
    log(`[!] Refused connection ${stream.shortId}: "${stream.service}" is not exposed here`, 'warn')
    stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, `"${stream.service}" is not exposed there any more`)
    return
  }
  const target = formatTarget(service)
  log(`Dialing ${target} for connection ${stream.shortId}...`)
  const socket = connect({ host: service.host, port: service.port, allowHalfOpen: true })
  const timer = setTimeout(() => socket.destroy(timedOut()), DIAL_TIMEOUT_MS)

  const refuse = (error: Error) => {
    const why = describeNetworkError(error)
    log(`[x] Could not connect to ${target} for connection ${stream.shortId}: ${why}`, 'error')
    const isRefused = networkErrorCode(error) === 'ECONNREFUSED'
    stream.refuse(
      isRefused ? STREAM_CODES.TARGET_REFUSED : STREAM_CODES.TARGET_UNREACHABLE,
      `the target said: ${why}`,
    )
  }
  // The opener went away while we dial.
  stream.whenBroken(() => socket.destroy())
  socket.once('error', refuse)
  socket.once('close', () => clearTimeout(timer))
  socket.once('connect', () => {
    clearTimeout(timer)
    socket.off('error', refuse)
    log(`[ok] Connected to ${target}`)
    const port = socket.localPort!
    servedPorts.add(port)
    socket.once('close', () => servedPorts.delete(port))
    stream.accept()
    bridge(socket, stream, {
      reset: (code, message) => {
        log(`[!] Connection ${stream.shortId} was broken: ${message || streamCodeName(code)}`, 'warn')
      },
    })
  })
}

function timedOut(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })
}
