import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { codeOf } from '../../errors.ts'
import { RefusedError } from '../auth/refused-error.ts'
import { refuseOn } from './response.ts'

/** What Node.js would answer, by the code of the error; to any other a 400 (its `socketOnError`). */
const STATUS = new Map<string | undefined, number>([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
])

/**
 * What Node.js would answer by itself to requests that it can't read, or doesn't serve, the hub says in its
 * own words: an answer without the hub's header counts as something else's.
 */
export function onClientError(
  server: Server,
  hubId: string,
  refuse: (request: IncomingMessage, response: ServerResponse, error: RefusedError) => void,
): void {
  /** The answers under way. */
  const answers = new WeakMap<Socket, ServerResponse>()
  server.on('request', (request, response) => answers.set(request.socket, response))
  // A link may stay for months, and was asked for after an answer as a rule: 3 KB, all headers with it.
  server.on('upgrade', (request) => answers.delete(request.socket))
  server.on('checkExpectation', (request, response) => {
    refuse(request, response, new RefusedError(417, 'bad_request', 'Nothing like that is expected here.'))
  })
  server.on('clientError', (error, duplex) => {
    const socket = duplex as Socket
    const answer = answers.get(socket)
    const isAnswered = answer !== undefined && answer.headersSent && !answer.writableFinished
    if (!socket.writable || isAnswered || codeOf(error) === 'ECONNRESET') {
      socket.destroy(error)
      return
    }
    const status = STATUS.get(codeOf(error)) ?? 400
    refuseOn(socket, hubId, new RefusedError(status, 'bad_request', 'The request can’t be read.'))
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {})
    refuseOn(socket, hubId, new RefusedError(404, 'not_found', 'This is no proxy.'))
  })
}
