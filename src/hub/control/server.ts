import type { IncomingMessage, ServerResponse } from 'node:http'
import { tryAnnounce } from '../../control/try-announce.ts'
import { codeOf, messageOf } from '../../errors.ts'
import { serveLocally, type LocalServer } from '../../net/local/serve.ts'
import { NOT_THERE, type AgentsReply, type HubStatus, type RevokeReply } from './schema.ts'

/** What the hub does when its owner asks on this machine. */
export interface HubControl {
  status(): HubStatus
  /** @param after those behind this id; without it from the first one on */
  agents(after: string | undefined): AgentsReply
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeAgent(id: string): Promise<RevokeReply>
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeToken(id: string): Promise<RevokeReply>
}

/**
 * Opens the hub's socket, so that a revocation holds from the moment that it is answered. Without the socket
 * the commands write the database, and the hub notices within a second; so what keeps the socket from being
 * opened does not keep the hub down.
 *
 * @returns look: to be called now and then, opens the socket again if someone has cleaned it away
 */
export async function startHubControl(
  socketPath: string,
  hub: HubControl,
  log: (line: string) => void,
): Promise<{ look(): Promise<void>; close(): Promise<void> }> {
  let server: LocalServer | undefined
  let isTold = false
  // Before it is there: no agent is to take it for a service's socket.
  const note = tryAnnounce({ kind: 'hub', socketPath }, log)
  const look = async () => {
    try {
      if (server) await server.look()
      else
        server = await serveLocally(
          socketPath,
          (request, response) => void answer(hub, request, response, log),
        )
      isTold = false
    } catch (error) {
      if (!isTold) log(`[!] ${messageOf(error)}; until that is fixed, revocations take up to a second`)
      isTold = true
    }
  }
  await look()
  return {
    look,
    async close() {
      await server?.close()
      note?.withdraw()
    },
  }
}

async function answer(
  hub: HubControl,
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  response.setHeader('connection', 'close')
  response.setHeader('content-type', 'application/json')
  try {
    const reply = await route(hub, `${request.method} ${request.url}`, log)
    if (!reply) response.statusCode = 400
    response.end(JSON.stringify(reply ?? {}))
  } catch (error) {
    const isUnknown = codeOf(error) === 'NO_SUCH_ENTRY'
    if (!isUnknown) log(`[x] ${request.method} ${request.url}: ${messageOf(error)}`)
    response.statusCode = isUnknown ? NOT_THERE : 500
    response.end('{}')
  }
}

/** @returns undefined if there is no such thing to ask */
async function route(
  hub: HubControl,
  asked: string,
  log: (line: string) => void,
): Promise<HubStatus | AgentsReply | RevokeReply | undefined> {
  if (asked === 'GET /v1/status') return hub.status()
  const listed = /^GET \/v1\/agents(?:\?after=(\w{1,64}))?$/.exec(asked)
  if (listed) return hub.agents(listed[1])
  const [, kind, id] = /^DELETE \/v1\/(agents|tokens)\/(\w{1,64})$/.exec(asked) ?? []
  if (id === undefined) return undefined
  const reply = await (kind === 'agents' ? hub.revokeAgent(id) : hub.revokeToken(id))
  log(reply.saved ? `${id} was revoked` : `[!] ${id} was revoked, which is not saved yet: ${reply.reason}`)
  return reply
}
