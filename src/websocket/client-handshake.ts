import type { Agent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { transportOver } from './transport-over.ts'
import type { Transport, TransportOptions } from './transport.ts'
import { WS_OPTIONS } from './ws-options.ts'

export interface HandshakeRequest extends Omit<TransportOptions, 'role'> {
  /** `ws:` and an address that `agent` knows. */
  readonly url: string
  /** Where the connection comes from. */
  readonly agent: Agent
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: string
  /** Ends the handshake, and nothing later. */
  readonly signal: AbortSignal
  /** Called with an answer that says to upgrade; what it throws ends the handshake. */
  readonly check: (response: IncomingMessage) => void
}

/** What came of a request: a transport, or an HTTP answer that is no upgrade. */
export type HandshakeReply =
  { readonly transport: Transport } | { readonly transport?: undefined; readonly response: IncomingMessage }

/** An answer that says to upgrade, and is not what was asked for (RFC 6455 §4.1). */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError'
}

/**
 * Asks a server for a WebSocket.
 *
 * @throws HandshakeError, what `check` throws, or the system's error
 */
export async function requestWebSocket(request: HandshakeRequest): Promise<HandshakeReply> {
  const { url, agent, headers, protocol, masks = true, maxMessageBytes, signal, check } = request
  // Slow to load, and not needed before.
  const { WebSocket } = await import('ws')
  const { promise, resolve, reject } = Promise.withResolvers<HandshakeReply>()
  const options = {
    ...WS_OPTIONS,
    maxPayload: maxMessageBytes,
    agent,
    headers,
    signal,
    // The key that ws hands over is all zeros.
    ...(!masks && { generateMask: () => {} }),
  }
  const ws = new WebSocket(url, protocol, options)
  let socket: Socket | undefined
  ws.on('upgrade', (response) => {
    socket = response.socket
    try {
      check(response)
    } catch (error) {
      reject(error)
      ws.terminate()
    }
  })
  ws.on('unexpected-response', (_request, response) => resolve({ response }))
  ws.on('error', (error) => reject(socket ? new HandshakeError(error.message) : error))
  ws.on('open', () =>
    resolve({ transport: transportOver(ws, socket!, { role: 'client', masks, maxMessageBytes }) }),
  )
  return promise
}
