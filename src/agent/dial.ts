import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { isLoopback } from '../config/hub-url.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { loadHttp } from '../process/http.ts'
import { HUB_HEADER } from '../tunnel/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/limits.ts'
import { Link } from '../tunnel/link.ts'
import { WebSocketConnection } from '../websocket/connection.ts'
import { checkUpgrade, upgradeHeaders } from '../websocket/handshake.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import { hubConnector, type HubAddress } from './open-connection.ts'
import { ClockError, notAHub, refusalError, type Answer } from './refusal.ts'
import { unlessHttps } from './wrong-scheme.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_REFUSAL_BYTES = 64 * 1024

/** What came of the request for a link. */
type Reply =
  | { readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer }
  | { readonly response: IncomingMessage; readonly socket?: undefined }

/**
 * Opens a link to a hub, once.
 *
 * @param token see credential.ts
 * @throws ConnectError HUB_UNREACHABLE, NOT_A_HUB, REVOKED, AGENT_UNKNOWN, HUB_ERROR; ClockError
 */
export async function dial(address: HubAddress, token: string, caller: AbortSignal): Promise<Link> {
  caller.throwIfAborted()
  const signal = AbortSignal.any([caller, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)])
  const { hub } = address
  const { key, headers } = upgradeHeaders(SUBPROTOCOL)
  try {
    const reply = await ask(address, { ...headers, authorization: `Bearer ${token}` }, signal)
    const { response, socket } = reply
    if (!socket) throw refusalError(hub, answerOf(response, await readText(response)))
    return linkOver(address, reply, key)
  } catch (error) {
    if (error instanceof ClockError) throw error
    throw await unlessHttps(address, hubUnreachable(hub, signal.aborted ? signal.reason : error))
  }
}

async function ask(
  address: HubAddress,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Reply> {
  const url = new URL(`${address.hub}/v1/link`)
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const request = loadHttp().request({
    path: url.pathname,
    headers: { host: url.host, ...headers },
    createConnection: hubConnector(address, signal),
    signal,
  })
  request.once('upgrade', (response, socket, head) => resolve({ response, socket, head }))
  request.once('response', (response) => resolve({ response }))
  request.on('error', (error) => reject(isForeign(error) ? notSpoken(address.hub, error) : error))
  request.end()
  return promise
}

/** @throws ConnectError NOT_A_HUB */
function linkOver(
  { hub }: HubAddress,
  { response, socket, head }: Extract<Reply, { socket: Socket }>,
  key: string,
): Link {
  try {
    if (response.headers[HUB_HEADER] === undefined) throw notAHub(hub, answerOf(response, ''))
    checkUpgrade(response, key, SUBPROTOCOL)
  } catch (error) {
    socket.destroy()
    throw error instanceof ConnectError ? error : notSpoken(hub, error)
  }
  const masks = !mayLeaveUnmasked(hub)
  const options = { role: 'client', masks, maxMessageBytes: MAX_FRAME_BYTES, head } as const
  return new Link(new WebSocketConnection(socket, options), socket)
}

/**
 * RFC 6455 §5.3 wants unpredictable masks, so that a script in a browser can't put bytes of its choice before a
 * plaintext proxy. On TLS and on loopback no such proxy sees them, and masking would cost half the CPU time.
 */
function mayLeaveUnmasked(hub: string): boolean {
  const { protocol, hostname } = new URL(hub)
  return protocol === 'https:' || isLoopback(hostname)
}

/** Whether something answered, and not in HTTP. */
function isForeign(error: unknown): boolean {
  // Whoever stops the agent gives a reason that is no Error.
  return messageOf(error).startsWith('Parse Error')
}

function notSpoken(hub: string, error: unknown): ConnectError {
  return new ConnectError('NOT_A_HUB', `${hub} is not a hub: ${messageOf(error)}`)
}

function answerOf(response: IncomingMessage, text: string): Answer {
  return { status: response.statusCode ?? 0, header: (name) => response.headers[name]?.toString(), text }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > MAX_REFUSAL_BYTES) break
  }
  return text
}
