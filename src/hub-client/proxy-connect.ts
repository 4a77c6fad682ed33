import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { shownProxy, type Proxy } from '../config/proxy/proxy.ts'
import { ConnectError } from '../errors.ts'
import { loadHttp } from '../net/http.ts'
import { describeNetworkError, networkHints } from '../net/network-error.ts'
import { openTcp, openTls, peerOf, type Peer } from './socket.ts'

/**
 * Has a proxy lead on to a peer, by CONNECT (RFC 9110 §9.3.6).
 *
 * @param trust for a proxy that is spoken to over TLS
 * @throws ConnectError PROXY_FAILED, without the password in it
 */
export async function openTunnel(
  proxy: Proxy,
  peer: Peer,
  trust: SecureContext | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  let socket: Socket | undefined
  try {
    socket = await openTcp(peerOf(proxy.url), signal)
    if (trust && proxy.url.protocol === 'https:')
      socket = await openTls(peerOf(proxy.url), socket, trust, signal)
    const { status, head } = await askToConnect(socket, proxy.url, peer, signal)
    if (status < 200 || status > 299) throw refused(proxy, peer, status)
    if (head.length > 0) socket.unshift(head)
    return socket
  } catch (error) {
    socket?.destroy()
    throw error instanceof ConnectError ? error : unreachable(proxy, signal.aborted ? signal.reason : error)
  }
}

async function askToConnect(
  socket: Socket,
  proxy: URL,
  { host, port }: Peer,
  signal: AbortSignal,
): Promise<{ status: number; head: Buffer }> {
  const target = `${host}:${port}`
  const request = loadHttp().request({
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...authorization(proxy) },
    createConnection: () => socket,
  })
  // When the request is given up, the end of the socket is no news.
  request.on('error', () => {})
  request.end()
  const [response, , head] = (await once(request, 'connect', { signal })) as [IncomingMessage, Socket, Buffer]
  return { status: response.statusCode ?? 0, head }
}

function authorization({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {}
  const pair = `${decoded(username)}:${decoded(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** A `%` that encodes nothing is meant as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function refused({ url, source }: Proxy, { host, port }: Peer, status: number): ConnectError {
  const shown = shownProxy(url)
  if (status === 407) {
    const hasLogin = url.username !== '' || url.password !== ''
    const message = hasLogin
      ? `The proxy ${shown} does not accept the user name and password`
      : `The proxy ${shown} wants a user name and password`
    const hints = [`Give them in ${source}: ${url.protocol}//USER:PASSWORD@${url.host}`]
    return new ConnectError('PROXY_FAILED', message, { hints })
  }
  const answer = [`HTTP ${status}`, loadHttp().STATUS_CODES[status]].filter(Boolean).join(' ')
  if (status === 502 || status === 503 || status === 504) {
    const message = `The proxy ${shown} could not reach ${host}:${port}: it answered with ${answer}`
    return new ConnectError('PROXY_FAILED', message, {
      hints: [`Check the hub’s address, and that the hub runs. ${setIn(source)}`],
    })
  }
  const message = `The proxy ${shown} does not let ${host}:${port} through: it answered with ${answer}`
  const hints = [
    `Many proxies let only port 443 through; ask whoever runs it. ${setIn(source)}`,
    `If the hub can be reached without a proxy: NO_PROXY=${host}`,
  ]
  return new ConnectError('PROXY_FAILED', message, { hints })
}

function unreachable({ url, source }: Proxy, error: unknown): ConnectError {
  const why = describeNetworkError(error)
  return new ConnectError('PROXY_FAILED', `Could not reach the proxy ${shownProxy(url)}: ${why}`, {
    cause: error,
    hints: [...networkHints(error), setIn(source)],
    fix: networkHints(error)[0] ?? `Check the proxy that is set in ${source}, or name the hub in NO_PROXY`,
  })
}

function setIn(source: string): string {
  return `The proxy is set in ${source}.`
}
