import type { IncomingMessage, ServerResponse } from 'node:http'
import { tryAnnounce } from '../../control/try-announce.ts'
import { codeOf, messageOf } from '../../errors.ts'
import { serveLocally, type LocalServer } from '../../net/local/serve.ts'
import { hubSocketPath, NOT_THERE, type RevokeReply } from './schema.ts'

/** What the hub does when its owner asks on this machine. */
export interface HubControl {
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeAgent(id: string): Promise<RevokeReply>
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeToken(id: string): Promise<RevokeReply>
}

/** How often the hub looks after its socket, in ms. */
const HOUSEKEEPING_MS = 10_000

/**
 * Opens the hub's socket, and keeps it open, so that a revocation holds from the moment that it is answered.
 * Without the socket the commands write the database, and the hub notices within a second; so what keeps the
 * socket from being opened does not keep the hub down.
 *
 * @param upkeepMs how often the socket is looked after, default 10,000
 */
export async function startHubControl(
  folder: string,
  hub: HubControl,
  log: (line: string) => void,
  upkeepMs = HOUSEKEEPING_MS,
): Promise<{ close(): Promise<void> }> {
  const socketPath = hubSocketPath(folder)
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
  const timer = setInterval(() => void look(), upkeepMs)
  return {
    async close() {
      clearInterval(timer)
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
    const asked = /^\/v1\/(agents|tokens)\/(\w{1,64})$/.exec(request.url!)
    if (request.method !== 'DELETE' || !asked) {
      response.statusCode = 400
      response.end('{}')
      return
    }
    const [kind, id] = [asked[1]!, asked[2]!]
    const reply = await (kind === 'agents' ? hub.revokeAgent(id) : hub.revokeToken(id))
    log(reply.saved ? `${id} was revoked` : `[!] ${id} was revoked, which is not saved yet: ${reply.reason}`)
    response.end(JSON.stringify(reply))
  } catch (error) {
    const isUnknown = codeOf(error) === 'NO_SUCH_ENTRY'
    if (!isUnknown) log(`[x] ${request.method} ${request.url}: ${messageOf(error)}`)
    response.statusCode = isUnknown ? NOT_THERE : 500
    response.end('{}')
  }
}
