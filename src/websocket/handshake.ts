import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const VERSION = '13'

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/

type Answer =
  | { accepted: true; response: string }
  | { accepted: false; status: number; message: string; headers?: readonly string[] }

/** `Sec-WebSocket-Accept` for a key. */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

/**
 * Checks a client's request (§4.2.1).
 *
 * @param headers lines that the response shall have besides
 * @returns the response for the socket, or why it is none that we serve, with the header lines that the answer needs
 */
export function answerUpgrade(
  request: IncomingMessage,
  protocol: string,
  headers: readonly string[],
): Answer {
  const refuse = (status: number, message: string, header?: string): Answer => ({
    accepted: false,
    status,
    message,
    ...(header !== undefined && { headers: [header] }),
  })
  const given = request.headers
  const key = given['sec-websocket-key'] ?? ''
  if (request.method !== 'GET') return refuse(405, 'A WebSocket is asked for with GET.', 'Allow: GET')
  if (!hasToken(given.upgrade, 'websocket')) return refuse(400, 'The Upgrade header does not name websocket.')
  if (!hasToken(given.connection, 'upgrade'))
    return refuse(400, 'The Connection header does not name upgrade.')
  if (given['sec-websocket-version'] !== VERSION) {
    return refuse(426, `Only version ${VERSION} of WebSocket is served.`, `Sec-WebSocket-Version: ${VERSION}`)
  }
  if (!KEY.test(key)) return refuse(400, 'The Sec-WebSocket-Key is not 16 bytes in base64.')
  if (!listOf(given['sec-websocket-protocol']).includes(protocol)) {
    return refuse(400, `Only the subprotocol ${protocol} is served.`)
  }
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(key)}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
    ...headers,
  ]
  return { accepted: true, response: `${lines.join('\r\n')}\r\n\r\n` }
}

/** Headers for a client's request (§4.1), with a fresh random key. */
export function upgradeHeaders(protocol: string): { key: string; headers: Record<string, string> } {
  const key = randomBytes(16).toString('base64')
  return {
    key,
    headers: {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': VERSION,
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Protocol': protocol,
    },
  }
}

/**
 * Checks the server's answer (§4.1).
 *
 * @throws Error with one short line
 */
export function checkUpgrade(response: IncomingMessage, key: string, protocol: string): void {
  const { statusCode, headers } = response
  if (statusCode !== 101) throw new Error(`the server answered with HTTP ${statusCode}`)
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw new Error('the server upgraded to no WebSocket')
  if (!hasToken(headers.connection, 'upgrade')) throw new Error('the server did not upgrade the connection')
  if (headers['sec-websocket-accept'] !== acceptFor(key)) {
    throw new Error('the server answered another Sec-WebSocket-Key')
  }
  if (headers['sec-websocket-protocol'] !== protocol) throw new Error('the server chose another subprotocol')
  if (headers['sec-websocket-extensions'])
    throw new Error('the server chose extensions that nobody asked for')
}

/** Whether the list in a header has the token, in upper or lower case. */
export function hasToken(header: string | undefined, token: string): boolean {
  return listOf(header?.toLowerCase()).includes(token)
}

function listOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((item) => item.trim())
}
