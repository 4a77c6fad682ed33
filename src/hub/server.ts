import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isLoopback } from '../config/hub-url.ts'
import { formatTarget } from '../config/target.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { loadHttp, loadHttps } from '../net/http.ts'
import { isOwnAddress } from '../net/own-address.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import { GOAWAY_CODES } from '../tunnel/protocol/codes.ts'
import { HUB_HEADER } from '../tunnel/protocol/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../tunnel/protocol/limits.ts'
import { ServerHandshake } from '../websocket/server-handshake.ts'
import { Authenticator } from './auth/authenticator.ts'
import { Nonces } from './auth/nonces.ts'
import { agentsPage } from './control/agents-page.ts'
import { MAX_TOKENS } from './control/schema.ts'
import { tokensPage, tokensReply } from './control/tokens-reply.ts'
import type { HubStatus } from './control/schema.ts'
import type { HubControl } from './control/server.ts'
import type { ConcurrencyOptions } from './http/concurrency-limit.ts'
import { HttpApi } from './http/api.ts'
import { onClientError } from './http/client-error.ts'
import { Connections, type ConnectionLimits } from './http/connections.ts'
import { isForLink, LinkUpgrade } from './http/upgrade.ts'
import { LinkTable } from './links/link-table.ts'
import { SqliteRegistry } from './registry/sqlite-registry.ts'
import { listenPatiently } from './listen-patiently.ts'
import { toldUrl } from './told-url.ts'
import type { CertificateFiles } from './tls/certificate.ts'
import { ServedCertificate } from './tls/served-certificate.ts'

export interface HubOptions {
  /** Where hub.db lies. */
  readonly folder: string
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** HTTPS alone is spoken with it, plain HTTP without. `own` is one that the hub makes. */
  readonly tls?: CertificateFiles | 'own' | undefined
  /** The address that others are told, see parseHubUrl; default: one that it listens on. */
  readonly url?: string | undefined
  /** How long to wait for a port that is in use, in ms; default 0. */
  readonly portPatienceMs?: number
  readonly version: string
  /** How long a stream waits for a link that was lost, in ms; default 30,000. */
  readonly resumeMs?: number
  /** How long a stream waits for an agent that may be back, and for its answer, in ms; default 15,000. */
  readonly openTimeoutMs?: number
  /** How many requests are worked on at once: for links, joins and all else, each by themselves. */
  readonly concurrency?: ConcurrencyOptions
  /** How many connections there may be. */
  readonly limits?: ConnectionLimits
  /** One line for whoever runs the hub. */
  readonly log: (line: string) => void
}

export interface Hub extends Omit<HubControl, 'status'> {
  readonly id: string
  /** The port that it listens on. */
  readonly port: number
  /** What it listens on: http:// or https://, and HOST:PORT. */
  readonly address: string
  /** Rejects if the hub can't go on. */
  readonly failed: Promise<never>
  /** How it stands; which process it is, whoever runs it knows. */
  status(): Omit<HubStatus, 'agent'>
  /** Tells every agent to come back later, and ends the hub. */
  close(): Promise<void>
}

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  // Checked in api.ts: Node.js would answer without our header.
  requireHostHeader: false,
  // An offer to go on with another protocol, such as h2c, is ignored, and the request served (RFC 9110 §7.8).
  shouldUpgradeCallback: isForLink,
}

/**
 * How long a client may go on with a TLS session, in seconds: as long as RFC 8446 §4.6.1 allows. Its keys are
 * new ones each time, and a renewed certificate ends all sessions.
 */
const TLS_SESSION_SECONDS = 7 * 24 * 60 * 60

/**
 * Starts a hub. The caller holds the lock of its folder.
 *
 * @throws ConnectError BAD_CERTIFICATE, PORT_IN_USE, CANNOT_LISTEN, HUB_DATA_DAMAGED, WRITE_FAILED; with a
 * certificate of its own HUB_TLS_DAMAGED, HUB_KEY_EXPOSED, FILE_UNTRUSTED
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  adaptToLoad()
  ensurePrivateFolder(options.folder)
  const certificate = await openCertificate(options)
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  // Whoever runs the hub waits for this promise; where nobody does, it must be no unhandled rejection.
  failed.catch(() => {})
  const registry = await SqliteRegistry.open(options.folder, {
    gone: (agent, why) => {
      if (why === 'revoked') links.close(agent.id, GOAWAY_CODES.REVOKED, 'this agent was revoked')
      else if (why === 'logged out')
        links.close(agent.id, GOAWAY_CODES.LOGGED_OUT, 'this agent has logged out')
      else if (why === 'removed')
        links.close(agent.id, GOAWAY_CODES.PROTOCOL, 'this agent was removed from the hub')
      // It comes back for as long as the hub knows it no more: a backup may be on its way.
      else links.close(agent.id, GOAWAY_CODES.PROTOCOL, 'the hub’s database has this agent no more')
    },
    failed: fail,
    log: options.log,
  })
  const links = new LinkTable(registry, options)
  const nonces = new Nonces()
  const authenticator = new Authenticator(registry, nonces)
  const api = new HttpApi(registry, links, nonces, authenticator, options)
  const header = `${HUB_HEADER}: ${registry.hubId}`
  const handshake = await ServerHandshake.load(SUBPROTOCOL, MAX_FRAME_BYTES, header)
  const upgrade = new LinkUpgrade(registry, links, authenticator, handshake, options.concurrency)
  const server = certificate
    ? loadHttps().createServer({
        ...LIMITS,
        ...certificate.options,
        handshakeTimeout: 10_000,
        sessionTimeout: TLS_SESSION_SECONDS,
      })
    : loadHttp().createServer(LIMITS)
  const connections = new Connections(options.limits ?? {}, certificate !== undefined, options.log)
  server.on('connection', (socket: Socket) => connections.add(socket))
  server.on('request', (request, response) => void api.answer(request, response))
  const answerLink = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (await upgrade.answer(request, socket, head)) connections.becameLink(socket as Socket)
  }
  server.on('upgrade', (request, socket, head) => {
    if (isForLink(request)) void answerLink(request, socket, head)
    else void api.answer(request, responseOver(socket as Socket, request))
  })
  onClientError(server, registry.hubId, (request, response, error) => api.refuse(request, response, error))
  let port: number
  try {
    port = await listenPatiently(server, options)
  } catch (error) {
    await registry.close()
    throw error
  }
  server.on('error', fail)
  const timer = setInterval(() => links.tick(), 1000)
  const presence = {
    isOnline: (id: string) => links.isServing(id),
    lastSeen: (id: string) => registry.lastSeen(id),
  }
  const host = hostOf(server, options.host)
  const listen = formatTarget({ host, port })
  const url = () => toldUrl({ ...options, host }, port)
  const unfollow = follow(server, certificate, url)
  return {
    id: registry.hubId,
    port,
    address: `${certificate ? 'https' : 'http'}://${listen}`,
    failed,
    status: () => ({
      hubId: registry.hubId,
      listen,
      url: url(),
      certificate: certificate?.status ?? null,
      joined: registry.memberCount,
      online: links.servingCount,
      links: links.linkCount,
      outside: links.hasFrom((address) => !isOwnAddress(address)),
      streams: links.streamCount,
      unsaved: registry.unsaved ?? null,
    }),
    agents: (after) => agentsPage(registry.agents(), after, presence),
    revokeAgent: (id) => registry.revokeAgent(id),
    revokeToken: (id) => registry.revokeToken(id),
    removeAgent: (id) => registry.removeAgent(id),
    createToken: (token) => registry.createToken(token),
    tokens: async () => tokensReply(await registry.validTokens(MAX_TOKENS)),
    allTokens: async (after) => tokensPage(await registry.tokens(), after),
    saved: async () => ({ ...(await registry.saved()), unsaved: registry.unsaved ?? null }),
    async close() {
      clearInterval(timer)
      unfollow()
      const closed = new Promise((resolve) => server.close(resolve))
      await links.shutdown()
      connections.destroy()
      await closed
      await registry.close()
    },
  }
}

/** Node.js before 22.21, and 24 before 24.9, lacks shouldUpgradeCallback: each upgrade comes, body unread. */
function responseOver(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new (loadHttp().ServerResponse)(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.end())
  socket.on('error', () => {})
  request.push(null)
  return response
}

/**
 * Where it is found. `localhost` is two addresses, of which it has one: at the other another user of this
 * machine can be waiting for the tokens of those who go by the name.
 */
function hostOf(server: Server, host: string): string {
  return isLoopback(host) ? (server.address() as AddressInfo).address : host
}

async function openCertificate(options: HubOptions): Promise<ServedCertificate | undefined> {
  const { tls, host, url, folder, log } = options
  if (!tls) return undefined
  const hosts = url === undefined ? [host] : [host, new URL(url).hostname]
  return ServedCertificate.open(tls, { folder, hosts, log })
}

/** New connections get a renewed certificate; links that are up go on with the one that they began with. */
function follow(
  server: Server | HttpsServer,
  certificate: ServedCertificate | undefined,
  url: () => string,
): () => void {
  if (!certificate || !('setSecureContext' in server)) return () => {}
  return certificate.follow(url, (options) => server.setSecureContext(options))
}
