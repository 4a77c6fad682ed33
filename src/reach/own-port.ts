import type { Config } from '../config/config.ts'
import type { Neighbours } from '../control/presence/neighbours.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'

/** The port of a service's target: that of its local port, too, if it can be had. */
export interface OwnPort {
  readonly port: number
  /** An agent of this machine exposes the service: the port may be the target's, which may be down now. */
  readonly isTaken: boolean
}

/** @returns undefined if the service has no port of its own, as a Unix socket */
export function ownPortOf(
  { port, agent }: OfferedService,
  { hubId, agentId }: Config,
  neighbours: Neighbours,
): OwnPort | undefined {
  if (port === undefined) return undefined
  const isNeighbours =
    neighbours.agents((other) => other.hubId === hubId && other.agentId === agent).length > 0
  return { port, isTaken: agent === agentId || isNeighbours }
}
