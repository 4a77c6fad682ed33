import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket, type ClientOptions } from 'ws'
import { isLoopback, linkUrl } from '../config/hub-url.ts'
import { ConnectError } from '../errors.ts'
import { HUB_HEADER } from '../tunnel/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/limits.ts'
import { Link } from '../tunnel/link.ts'
import { hubUnreachable } from './network-error.ts'
import { hubConnector, type HubAddress } from './open-connection.ts'
import { notAHub, refusalError, type Answer } from './refusal.ts'
import { unlessHttps } from './wrong-scheme.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * Opens a link to a hub, once.
 *
 * @param token see credential.ts
 * @throws ConnectError HUB_UNREACHABLE, NOT_A_HUB, REVOKED, AGENT_UNKNOWN, HUB_ERROR; ClockError
 */
export async function dial(address: HubAddress, token: string, signal: AbortSignal): Promise<Link> {
  signal.throwIfAborted()
  const { hub } = address
  const url = linkUrl(hub)
  const socket = new WebSocket(url, SUBPROTOCOL, {
    followRedirects: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    headers: { authorization: `Bearer ${token}` },
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    // Its types know only net.createConnection; it hands this on to http.request.
    createConnection: hubConnector(address, signal) as unknown as ClientOptions['createConnection'],
    ...(mayLeaveUnmasked(url) && { generateMask: (mask: Buffer) => void mask.fill(0) }),
  })
  const abort = () => socket.terminate()
  signal.addEventListener('abort', abort, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<Link>()
  let raw: Socket | undefined
  socket.once('upgrade', (response: IncomingMessage) => {
    raw = response.socket
    if (response.headers[HUB_HEADER] === undefined) {
      reject(notAHub(hub, answerOf(response, '')))
      socket.terminate()
    }
  })
  // Made here and not after the await: the first frames may come with the answer.
  socket.once('open', () => resolve(new Link(socket, raw!)))
  socket.once('unexpected-response', (_request, response) => {
    readText(response).then(
      (text) => reject(refusalError(hub, answerOf(response, text))),
      (error: unknown) => reject(hubUnreachable(hub, error)),
    )
  })
  socket.once('error', (error) => {
    // ws reports an answer that is no WebSocket's, such as a wrong subprotocol, as a plain error.
    const isForeign = raw !== undefined || /^(Invalid|Server sent)|Parse Error/.test(error.message)
    reject(
      isForeign
        ? new ConnectError('NOT_A_HUB', `${hub} is not a hub: ${error.message}`)
        : hubUnreachable(hub, error),
    )
  })
  try {
    return await promise
  } catch (error) {
    throw await unlessHttps(address, error)
  } finally {
    signal.removeEventListener('abort', abort)
    socket.on('error', () => {})
  }
}

/**
 * RFC 6455 §5.3 wants unpredictable masks, so that a script in a browser can't put bytes of its choice before a
 * plaintext proxy. On TLS and on loopback no such proxy sees them, and masking would cost half the CPU time.
 */
function mayLeaveUnmasked(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'wss:' || isLoopback(hostname)
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
