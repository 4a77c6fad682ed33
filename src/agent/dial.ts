import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { isLoopback } from '../config/hub-url.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { readBody } from '../process/read-body.ts'
import { HUB_HEADER } from '../tunnel/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/limits.ts'
import { Link } from '../tunnel/link.ts'
import { WebSocketConnection } from '../websocket/connection.ts'
import { checkUpgrade, upgradeHeaders } from '../websocket/handshake.ts'
import { HubSession } from './hub-session.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import type { HubAddress } from './open-connection.ts'
import { notAHub, refusalError, type Answer } from './refusal.ts'
import { unlessHttps } from './wrong-scheme.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_REFUSAL_BYTES = 64 * 1024

/** What came of the request for a link. */
type Reply =
  | { readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer }
  | { readonly response: IncomingMessage; readonly socket?: undefined }

/**
 * Opens a link to a hub, once. The nonce to sign is asked for on the same connection, so that it costs one round trip
 * more and no further handshake.
 *
 * @param sign makes the token for the nonce that the hub gives, see credential.ts
 * @throws ConnectError HUB_UNREACHABLE, NOT_A_HUB, REVOKED, AGENT_UNKNOWN, HUB_ERROR, or what `sign` throws
 */
export async function dial(
  address: HubAddress,
  sign: (nonce: string) => Promise<string>,
  caller: AbortSignal,
): Promise<Link> {
  caller.throwIfAborted()
  const signal = AbortSignal.any([caller, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)])
  const session = new HubSession(address, signal)
  const { hub } = address
  try {
    return await session.withNonce(async (nonce) => {
      const { key, headers } = upgradeHeaders(SUBPROTOCOL)
      const authorization = `Bearer ${await sign(nonce)}`
      const reply = await ask(session, hub, { ...headers, authorization })
      const { response, socket } = reply
      // No hub refuses in so many words.
      if (!socket)
        throw refusalError(hub, answerOf(response, (await readBody(response, MAX_REFUSAL_BYTES)) ?? ''))
      return linkOver(address, reply, key)
    })
  } catch (error) {
    throw await unlessHttps(address, hubUnreachable(hub, signal.aborted ? signal.reason : error))
  } finally {
    session.close()
  }
}

async function ask(session: HubSession, hub: string, headers: Record<string, string>): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const request = session.request('GET', '/v1/link', headers)
  request.once('upgrade', (response, socket, head) => {
    // What the connection was given while it was kept for the next request.
    socket.setTimeout(0)
    resolve({ response, socket, head })
  })
  request.once('response', (response) => resolve({ response }))
  request.on('error', (error) => reject(isForeign(error) ? notSpoken(hub, error) : error))
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
  return new Link(new WebSocketConnection(socket, options))
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
