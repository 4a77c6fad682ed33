import type { RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { callbackify } from 'node:util'
import { proxyFor } from '../config/proxy/proxy.ts'
import { isNoTls } from '../net/network-error.ts'
import { openTunnel } from './proxy-connect.ts'
import { openTcp, openTls, openUnverifiedTls, peerOf } from './socket.ts'
import { pinnedContext, trustContext } from './tls/authorities.ts'
import { isOfOtherAuthority, withoutCertificate, wrongAuthority } from './tls/wrong-authority.ts'

/** Where a hub is, and how to get there; a Config has it all. */
export interface HubAddress {
  /** As parseHubUrl gives it. */
  readonly hub: string
  /** The saved proxy; what the environment says comes first. */
  readonly proxy?: string | undefined
  /** Absolute path of a file with authorities to trust besides the known ones. */
  readonly ca?: string | undefined
  /** The only authority to trust for it, in PEM: neither `ca` nor what is known counts then. */
  readonly authority?: string | undefined
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
 * @throws ConnectError BAD_PROXY, BAD_CA, PROXY_FAILED, WRONG_AUTHORITY; or the system’s error
 */
export async function openConnection(address: HubAddress, caller: AbortSignal): Promise<Socket> {
  const { hub, authority } = address
  const url = new URL(hub)
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMEOUT_MS)])
  if (url.protocol !== 'https:') return openWay(address, signal)
  const trust = authority === undefined ? trustContext(address.ca) : pinnedContext(authority)
  const socket = await openWay(address, signal)
  try {
    return await openTls(peerOf(url), socket, trust, signal)
  } catch (error) {
    if (authority !== undefined && isOfOtherAuthority(error)) throw wrongAuthority(hub, error)
    throw authority !== undefined && isNoTls(error) ? withoutCertificate(hub, error) : error
  }
}

/**
 * The same by TLS, but with whoever answers: to look at the certificate, and to send nothing.
 *
 * @returns `authorized` if what this machine trusts by itself has signed it for that name
 */
export async function openUnverified(address: HubAddress): Promise<TLSSocket> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const trust = trustContext(address.ca)
  const socket = await openWay(address, signal)
  return openUnverifiedTls(peerOf(new URL(address.hub)), socket, trust, signal)
}

/** What TLS is spoken over: TCP, or what a proxy has opened. */
function openWay(address: HubAddress, signal: AbortSignal): Promise<Socket> {
  const peer = peerOf(new URL(address.hub))
  const proxy = proxyFor(address, process.env)
  if (!proxy) return openTcp(peer, signal)
  // What is spoken to a plain proxy needs no authorities.
  const trust = proxy.url.protocol === 'https:' ? trustContext(address.ca) : undefined
  return openTunnel(proxy, peer, trust, signal)
}
