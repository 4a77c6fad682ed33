import path from 'node:path'
import { ConnectError } from '../errors.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { tryLock } from '../files/lock.ts'
import { loadHttp } from '../process/http.ts'
import { listenTcp } from '../process/listen.ts'
import { GOAWAY_CODES } from '../tunnel/codes.ts'
import { HubApi } from './api.ts'
import { LinkTable } from './link-table.ts'
import { LinkUpgrade } from './upgrade.ts'
import { SqliteRegistry } from './registry.ts'

export interface HubOptions {
  /** Where hub.db lies. */
  readonly folder: string
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly version: string
  /** One line for whoever runs the hub. */
  readonly log: (line: string) => void
}

export interface Hub {
  readonly id: string
  /** The port that it listens on. */
  readonly port: number
  /** Rejects if the hub can't go on. */
  readonly failed: Promise<never>
  /** Tells every agent to come back later, and ends. */
  close(): Promise<void>
}

/**
 * Starts a hub.
 *
 * @throws ConnectError HUB_RUNNING, PORT_IN_USE, CANNOT_LISTEN, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  ensurePrivateFolder(options.folder)
  const lock = await tryLock(path.join(options.folder, 'hub.lock'))
  if (!lock) throw new ConnectError('HUB_RUNNING', `A hub is already running on ${options.folder}`)

  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  // Whoever runs the hub waits for it; for anyone else it must not be an unhandled rejection.
  failed.catch(() => {})
  const registry = await SqliteRegistry.open(options.folder, {
    gone: (agent) => links.close(agent.id, GOAWAY_CODES.REVOKED, 'this agent was revoked'),
    failed: fail,
  }).catch((error: unknown) => {
    lock.release()
    throw error
  })
  const links = new LinkTable(registry, options)
  const api = new HubApi(registry, links, options)
  const upgrade = new LinkUpgrade(registry, links)
  const server = loadHttp().createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
  })
  server.on('request', (request, response) => void api.answer(request, response))
  server.on('upgrade', (request, socket, head) => void upgrade.answer(request, socket, head))
  let port: number
  try {
    port = await listenTcp(server, options.host, options.port)
  } catch (error) {
    await registry.close()
    lock.release()
    throw error
  }
  server.on('error', fail)
  const timer = setInterval(() => links.tick(), 1000)
  return {
    id: registry.hubId,
    port,
    failed,
    async close() {
      clearInterval(timer)
      const closed = new Promise((resolve) => server.close(resolve))
      await links.shutdown()
      server.closeAllConnections()
      await closed
      await registry.close()
      lock.release()
    },
  }
}
