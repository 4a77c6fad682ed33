import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { announce, Neighbours, type Announcement, type ReachPresence } from '../control/presence.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { Signer } from '../hub-client/credential.ts'
import { HubClient } from '../hub-client/hub-client.ts'
import { HubLink } from '../hub-client/hub-link.ts'
import type { Log } from '../log/log.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import { STREAM_CODES } from '../tunnel/protocol/codes.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'
import { Clients } from './clients.ts'
import { openLocalPort, type LocalPort, type LocalPortOptions } from './local-port.ts'
import { openLocalSocket } from './local-socket.ts'
import { Opener } from './opener.ts'

export interface ReachOptions {
  readonly config: Config
  readonly name: string
  /** Local address to listen on, default both loopbacks. */
  readonly bind?: string | undefined
  /** Local port; 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  /** Where to listen at a Unix socket instead, an absolute path. */
  readonly socketPath?: string | undefined
  readonly version: string
  readonly log: Log
  /** How long a new connection waits while the link is down, in ms, default 15,000; then it is reset. */
  readonly holdMs?: number
  /** How long a connection waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number
}

export interface Reached extends Pick<LocalPort, 'addresses' | 'port' | 'because'> {
  /** The Unix socket that is listened at; then there are no addresses, and the port is 0. */
  readonly socketPath: string | undefined
  readonly service: OfferedService
  /** Settles when the signal says stop. @throws ConnectError REVOKED */
  readonly ended: Promise<void>
}

const HOLD_MS = 15_000

/**
 * Opens a local port that leads to a service of the workspace, over a link of its own.
 *
 * @throws ConnectError SERVICE_UNKNOWN, PORT_IN_USE, SOCKET_IN_THE_WAY, CANNOT_LISTEN, or what HubClient
 * throws
 */
export async function reach(options: ReachOptions, signal: AbortSignal): Promise<Reached> {
  const { config, name, bind, version, log } = options
  const service = await new HubClient(config).service(new Signer(config), name)
  if (!service) throw new ConnectError('SERVICE_UNKNOWN', `There is no service "${name}"`)

  const link = new HubLink({
    config,
    role: 'client',
    version,
    log,
    ...(options.resumeMs !== undefined && { resumeMs: options.resumeMs }),
    onConnected: () => opener.carry(),
    // Nothing is exposed over this link, so nobody has any business opening a stream.
    onStream: (stream) => stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, 'nothing is exposed over this link'),
  })
  const neighbours = new Neighbours()
  const { holdMs = HOLD_MS } = options
  const opener = new Opener(link, holdMs)
  const clients = new Clients(opener, neighbours, { name, log, holdMs })
  const isOwnTaken = isOfThisMachine(service, config, neighbours)
  const take = (socket: Socket) => clients.take(socket)
  const { socketPath } = options
  const localPort =
    socketPath === undefined
      ? await openPortFor(service, { bind, port: options.port, isOwnTaken }, take)
      : await openLocalSocket(socketPath, take)
  const { addresses, port, because } = localPort
  const presence = tellNeighbours(
    { hubId: config.hubId, service: name, addresses: [...addresses], port, socketPath },
    log,
  )
  adaptToLoad()
  const ended = link.run(signal).finally(() => {
    presence?.withdraw()
    localPort.close()
    clients.close()
  })
  return { service, addresses, port, because, socketPath, ended }
}

/** A service that has no port gets a free one. */
async function openPortFor(
  { port: own }: OfferedService,
  wish: Omit<LocalPortOptions, 'own'>,
  take: (socket: Socket) => void,
): Promise<LocalPort> {
  if (own !== undefined) return openLocalPort({ ...wish, own }, take)
  const because = wish.port === undefined ? 'The service has no port of its own' : undefined
  return { ...(await openLocalPort({ ...wish, own: 0, port: wish.port ?? 0 }, take)), because }
}

/** Whether an agent here exposes the service: the target may be down now, and will want its port back. */
export function isOfThisMachine(
  { agent }: OfferedService,
  { hubId, agentId }: Config,
  others: Neighbours,
): boolean {
  return agent === agentId || others.agents((one) => one.hubId === hubId && one.agentId === agent).length > 0
}

/** Announces our port, so that no agent of this machine takes it for a target, and goes round in a loop. */
function tellNeighbours(reach: Omit<ReachPresence, 'kind'>, log: Log): Announcement | undefined {
  const failed = (error: unknown) => log(`[!] ${messageOf(error)}`, 'warn')
  try {
    return announce({ kind: 'reach', ...reach }, failed)
  } catch (error) {
    failed(error)
    return undefined
  }
}
