import type { Config } from '../config/config.ts'
import { Neighbours } from '../control/presence/neighbours.ts'
import { findServices } from '../hub-client/find-services.ts'
import type { Log } from '../log/log.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'
import { clientLink } from './client-link.ts'
import { delivered } from './delivery.ts'
import { openLocalPort, type LocalPort } from './local-port.ts'
import { openLocalSocket } from './local-socket.ts'
import { HOLD_MS, type Opener } from './opener.ts'
import { ownPortOf } from './own-port.ts'
import { openServiceListener, type ServiceListener } from './service-listener.ts'

/** A service that is wanted. */
interface Wanted {
  readonly name: string
  /** Local port; 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  /** Where to listen at a Unix socket instead, an absolute path. */
  readonly socketPath?: string | undefined
}

export interface ReachOptions {
  readonly config: Config
  /** Each name once. */
  readonly services: readonly Wanted[]
  /** Local address to listen on, default both loopbacks. */
  readonly bind?: string | undefined
  readonly version: string
  readonly log: Log
  /** How long a new connection waits while the link is down, in ms, default 15,000; then it is reset. */
  readonly holdMs?: number
  /** How long a connection waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number
}

interface ReachedService extends Pick<LocalPort, 'addresses' | 'port' | 'because'> {
  /** The Unix socket that is listened at; then there are no addresses, and the port is 0. */
  readonly socketPath: string | undefined
  readonly service: OfferedService
}

export interface Reached {
  /** As they were given. */
  readonly services: readonly ReachedService[]
  /** Settles when the signal says stop. @throws ConnectError REVOKED */
  readonly ended: Promise<void>
  /** Waits until the services have what came from clients who have gone, see delivery.ts. */
  delivered(): Promise<void>
}

/** A service, and where it is reached. */
type Place = ServiceListener & ReachedService

/**
 * Opens local ports that lead to services of the workspace, over one link of its own: all, or none.
 *
 * @throws ConnectError SERVICE_UNKNOWN, PORT_IN_USE, SOCKET_IN_THE_WAY, CANNOT_LISTEN, or what HubClient
 * throws
 */
export async function reach(options: ReachOptions, signal: AbortSignal): Promise<Reached> {
  const { config, version, log, holdMs = HOLD_MS, resumeMs } = options
  const names = options.services.map(({ name }) => name)
  const offered = new Map((await findServices(config, names)).map((service) => [service.name, service]))
  const { link, opener } = clientLink({ config, version, log, holdMs, resumeMs })
  const places = await openPlaces(offered, opener, options)
  adaptToLoad()
  const ended = link.run(signal).finally(() => close(places.values()))
  return {
    services: names.map((name) => places.get(name)!),
    ended,
    delivered: () => delivered([...places.values()].map(({ clients }) => clients)),
  }
}

/** @returns by the service's name @throws ConnectError as reach; then none is open */
async function openPlaces(
  offered: ReadonlyMap<string, OfferedService>,
  opener: Opener,
  { config, services, bind, log, holdMs = HOLD_MS }: ReachOptions,
): Promise<Map<string, Place>> {
  const neighbours = new Neighbours()
  const places = new Map<string, Place>()
  try {
    for (const { name, port, socketPath } of services.toSorted((a, b) => rank(a) - rank(b))) {
      const service = offered.get(name)!
      const own = ownPortOf(service, config, neighbours)
      const { hubId } = config
      const listener = await openServiceListener(
        { opener, neighbours, hubId, name, socketPath, log, holdMs },
        (onClient) =>
          socketPath === undefined
            ? openLocalPort({ bind, port, own }, onClient)
            : openLocalSocket(socketPath, onClient),
      )
      places.set(name, { ...listener, socketPath, service })
    }
    return places
  } catch (error) {
    close(places.values())
    throw error
  }
}

/** A port that was asked for is opened before one that may be another, which could take it. */
function rank({ port }: Wanted): number {
  return port === undefined ? 1 : port === 0 ? 2 : 0
}

function close(places: Iterable<Place>): void {
  for (const place of places) place.close()
}
