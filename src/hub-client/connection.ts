import type { RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { callbackify } from 'node:util'
import { proxyFor } from '../config/proxy/proxy.ts'
import { openTunnel } from './proxy-connect.ts'
import { openTcp, openTls, peerOf } from './socket.ts'
import { trustContext } from './tls/authorities.ts'

/** Where a hub is, and how to get there; a Config has it all. */
export interface HubAddress {
  /** As parseHubUrl gives it. */
  readonly hub: string
  /** The saved proxy; what the environment says comes first. */
  readonly proxy?: string | undefined
  /** Absolute path of a file with authorities to trust besides the known ones. */
  readonly ca?: string | undefined
}

/** How long it may take until a connection can be used, in ms: name, TCP, proxy and TLS together. */
const TIMEOUT_MS = 10_000

/** For http.request and ws: opens the connection to a hub, TLS included, so the request itself is plain. */
export function hubConnector(
  address: HubAddress,
  signal: AbortSignal,
): NonNullable<RequestOptions['createConnection']> {
  const open = callbackify(() => openConnection(address, signal))
  return (_options, done) => {
    open((error, socket) => {
      // A socket that has failed meanwhile would be waited for, for ever.
      const failure = error ?? (socket.destroyed ? (socket.errored ?? new Error('connection closed')) : null)
      done(failure, socket)
    })
    return undefined
  }
}

/**
 * Opens a connection to a hub, through the proxy if there is one, by TLS if the hub’s address says https.
 *
 * @throws ConnectError BAD_PROXY, BAD_CA, PROXY_FAILED; or the system’s error
 */
export async function openConnection(address: HubAddress, caller: AbortSignal): Promise<Socket> {
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMEOUT_MS)])
  const url = new URL(address.hub)
  const isSecure = url.protocol === 'https:'
  const peer = peerOf(url)
  const proxy = proxyFor(address, process.env)
  // Plain http over a plain proxy needs no authorities.
  const trust = isSecure || proxy?.url.protocol === 'https:' ? trustContext(address.ca) : undefined
  const socket = proxy ? await openTunnel(proxy, peer, trust, signal) : await openTcp(peer, signal)
  return isSecure ? openTls(peer, socket, trust!, signal) : socket
}
