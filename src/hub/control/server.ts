import type { IncomingMessage, ServerResponse } from 'node:http'
import { tryAnnounce } from '../../control/presence/try-announce.ts'
import { codeOf, messageOf } from '../../errors.ts'
import { serveLocally, type LocalServer } from '../../net/local/serve.ts'
import { StoreError } from '../store/store-error.ts'
import type { MadeToken, TokenOptions } from '../store/store.ts'
import {
  NOT_SAVED,
  NOT_THERE,
  type AgentsReply,
  type AllTokensReply,
  type HubStatus,
  type RevokeReply,
  type SavedReply,
  type TokensReply,
} from './schema.ts'

/** What the hub does when its owner asks on this machine. */
export interface HubControl {
  status(): HubStatus
  /** @param after those behind this id; without it from the first one on */
  agents(after: string | undefined): AgentsReply
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeAgent(id: string): Promise<RevokeReply>
  /** @throws ConnectError NO_SUCH_ENTRY */
  revokeToken(id: string): Promise<RevokeReply>
  /** @throws ConnectError NO_SUCH_ENTRY */
  removeAgent(id: string): Promise<RevokeReply>
  /** @throws StoreError */
  createToken(options: TokenOptions): Promise<MadeToken>
  /** @throws StoreError */
  tokens(): Promise<TokensReply>
  /** @param after as of agents @throws StoreError */
  allTokens(after: string | undefined): Promise<AllTokensReply>
  /** @throws StoreError */
  saved(): Promise<SavedReply>
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
    if (error instanceof StoreError) {
      response.statusCode = NOT_SAVED
      return void response.end(JSON.stringify({ reason: error.message }))
    }
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
): Promise<object | undefined> {
  if (asked === 'GET /v1/status') return hub.status()
  if (asked === 'GET /v1/tokens') return hub.tokens()
  if (asked === 'GET /v1/saved') return hub.saved()
  const listed = /^GET \/v1\/agents(?:\?after=(\w{1,64}))?$/.exec(asked)
  if (listed) return hub.agents(listed[1])
  const listedTokens = /^GET \/v1\/tokens\/all(?:\?after=(\w{1,64}))?$/.exec(asked)
  if (listedTokens) return hub.allTokens(listedTokens[1])
  const made = /^POST \/v1\/tokens\?ttlMs=(\d{1,15})&uses=(\d{1,7})$/.exec(asked)
  if (made) return hub.createToken({ ttlMs: Number(made[1]), uses: Number(made[2]) })
  return change(hub, asked, log)
}

/** What holds at once, and is told to be unsaved where it can't be saved. */
async function change(
  hub: HubControl,
  asked: string,
  log: (line: string) => void,
): Promise<RevokeReply | undefined> {
  const done = async (id: string, what: string, changed: Promise<RevokeReply>) => {
    const reply = await changed
    log(reply.saved ? `${id} was ${what}` : `[!] ${id} was ${what}, which is not saved yet: ${reply.reason}`)
    return reply
  }
  const [, kind, revoked] = /^DELETE \/v1\/(agents|tokens)\/(\w{1,64})$/.exec(asked) ?? []
  if (revoked !== undefined)
    return done(revoked, 'revoked', kind === 'agents' ? hub.revokeAgent(revoked) : hub.revokeToken(revoked))
  const [, removed] = /^POST \/v1\/agents\/(\w{1,64})\/remove$/.exec(asked) ?? []
  return removed === undefined ? undefined : done(removed, 'removed', hub.removeAgent(removed))
}
