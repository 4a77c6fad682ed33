import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { loadHttp } from '../../net/http.ts'
import { readBody } from '../../net/read-body.ts'
import { HUB_HEADER, type Refusal } from '../../tunnel/protocol/handshake.ts'
import { RefusedError } from '../auth/refused-error.ts'
import { StoreError } from '../store/store-error.ts'

const MAX_BODY_BYTES = 16 * 1024

/** How long a client may take to read an answer, in ms. */
const READ_MS = 30_000

/** How long a refusal of too many requests is held back, in ms. */
const HOLD_MS = 1000

/** What a refusal, or a bug, looks like on the wire: nothing of the bug itself. */
export function refusalOf(error: unknown): {
  status: number
  headers: Record<string, string>
  body: Refusal
} {
  if (error instanceof RefusedError) {
    const { status, reason, message, retryAfter, nonce, tokenState } = error
    const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    return { status, headers, body: { error: reason, message, nonce, tokenState } }
  }
  if (error instanceof StoreError && error.kind === 'storage') {
    const message = `The hub can’t save it: ${error.message}.`
    return { status: 507, headers: {}, body: { error: 'storage', message } }
  }
  return {
    status: 500,
    headers: {},
    body: { error: 'internal', message: 'The hub failed; its output says why.' },
  }
}

/**
 * Waits before the answer to a request that failed, if its agent asks for too much. Else refusing, as fast as
 * the agent asks again, would cost as much as doing what it asks for.
 */
export async function holdBack(error: unknown): Promise<void> {
  if (error instanceof RefusedError && error.status === 429) await delay(HOLD_MS)
}

/** @param request one that a server was asked: only these have a `url` */
export function pathOf(request: IncomingMessage): string {
  return request.url!.split('?', 1)[0]!
}

/** @returns undefined if the query of the request has no such parameter */
export function parameterOf(request: IncomingMessage, name: string): string | undefined {
  return new URLSearchParams(request.url!.split('?', 2)[1]).get(name) ?? undefined
}

export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  // An answer that nobody reads is not kept for ever.
  const timer = setTimeout(() => response.destroy(), READ_MS)
  response.once('close', () => clearTimeout(timer))
  response.statusCode = status
  response.setHeader('content-type', type)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json', `${JSON.stringify(body)}\n`)
}

/** Refuses on a socket that no ServerResponse is in charge of, and closes it. */
export function refuseOn(socket: Duplex, hubId: string, error: unknown, lines: readonly string[] = []): void {
  const { status, headers, body } = refusalOf(error)
  const text = JSON.stringify(body)
  socket.once('finish', () => socket.destroy())
  socket.end(
    [
      `HTTP/1.1 ${status} ${loadHttp().STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      `${HUB_HEADER}: ${hubId}`,
      ...lines,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      text,
    ].join('\r\n'),
  )
}

/** @throws RefusedError */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request, MAX_BODY_BYTES)
  if (text === undefined) throw new RefusedError(413, 'bad_request', 'The request is too large.')
  try {
    return JSON.parse(text)
  } catch {
    throw new RefusedError(400, 'bad_request', 'The request is not JSON.')
  }
}
