import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../config/hub-url.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { readBody } from '../net/read-body.ts'
import { Link } from '../tunnel/link/link.ts'
import { HUB_HEADER } from '../tunnel/protocol/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/protocol/limits.ts'
import { HandshakeError } from '../websocket/client-handshake.ts'
import type { HubAddress } from './connection.ts'
import { HubSession } from './hub-session.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import { notAHub, refusalError, type HubResponse } from './response.ts'
import { explainSchemeMismatch } from './scheme-mismatch.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * Opens a link to a hub, once. The nonce to sign is asked for on the same connection, so that it costs one
 * round trip more and no further handshake.
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
      const reply = await session.webSocket('/v1/link', {
        headers: { authorization: `Bearer ${await sign(nonce)}` },
        protocol: SUBPROTOCOL,
        masks: !mayLeaveUnmasked(hub),
        maxMessageBytes: MAX_FRAME_BYTES,
        check: (response) => {
          if (response.headers[HUB_HEADER] === undefined) throw notAHub(hub, answerOf(response, ''))
        },
      })
      if (reply.transport) return new Link(reply.transport)
      const { response } = reply
      // What is longer is no hub's refusal.
      throw refusalError(hub, answerOf(response, (await readBody(response, MAX_REFUSAL_BYTES)) ?? ''))
    })
  } catch (error) {
    throw await explainSchemeMismatch(address, failure(hub, signal.aborted ? signal.reason : error))
  } finally {
    session.close()
  }
}

/** What a handshake that failed means. */
function failure(hub: string, error: unknown): ConnectError {
  const isForeign = error instanceof HandshakeError || messageOf(error).startsWith('Parse Error')
  if (!isForeign) return hubUnreachable(hub, error)
  return new ConnectError('NOT_A_HUB', `${hub} is not a hub: ${messageOf(error)}`)
}

/**
 * RFC 6455 §5.3 wants unpredictable masks, so that a script in a browser can't put bytes of its choice before
 * a plaintext proxy. In TLS and on loopback no such proxy sees bytes, and masks would cost half the CPU time.
 */
function mayLeaveUnmasked(hub: string): boolean {
  const { protocol, hostname } = new URL(hub)
  return protocol === 'https:' || isLoopback(hostname)
}

function answerOf(response: IncomingMessage, text: string): HubResponse {
  return { status: response.statusCode ?? 0, header: (name) => response.headers[name]?.toString(), text }
}
