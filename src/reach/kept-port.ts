import type { Socket } from 'node:net'
import type { KeptReach } from '../config/reaches.ts'
import type { KeepRequest } from '../control/schema.ts'
import { ConnectError } from '../errors.ts'
import { LOOPBACKS } from '../net/known-addresses.ts'
import { openLocalPort, type LocalPort } from './local-port.ts'
import type { OwnPort } from './own-port.ts'

/** What is to be opened for a wish. */
export interface SettledReach {
  readonly name: string
  /** Undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  readonly bind: string | undefined
  /** Undefined if it has none. */
  readonly own: OwnPort | undefined
  /** The agent that alone may serve it; undefined for the first that does. */
  readonly agent: string | undefined
}

/**
 * @param kept as it is kept now
 * @returns undefined if that is the place that is wished for
 * @throws ConnectError BAD_VALUE if nothing says which port
 */
export function settleReach(
  name: string,
  wish: KeepRequest,
  kept: KeptReach | undefined,
): SettledReach | undefined {
  const port = wish.port ?? kept?.port
  if (port === undefined && wish.own === undefined) {
    const hints = [`Say which: connect reach ${name} --keep --port N`]
    throw new ConnectError('BAD_VALUE', `${name} is not kept yet, and no port was given`, { hints })
  }
  const bind = wish.bind === undefined ? kept?.bind : (wish.bind ?? undefined)
  if (kept && port === kept.port && bind === kept.bind) return undefined
  return { name, port, bind, own: wish.own ?? undefined, agent: wish.agent ?? kept?.agent }
}

/**
 * Has an agent alone serve what is kept already.
 *
 * @param agent undefined for the one that does already
 * @returns the reach as it is kept from now on; the very same if nobody else is to serve it than before
 */
export function accepting(
  kept: KeptReach,
  agent: string | undefined,
): { outcome: 'accepted' | 'unchanged'; reach: KeptReach } {
  if (agent === undefined || agent === kept.agent) return { outcome: 'unchanged', reach: kept }
  // Whose it was nobody had said: then there is nobody that it is taken from.
  return { outcome: kept.agent === undefined ? 'unchanged' : 'accepted', reach: { ...kept, agent } }
}

/**
 * Opens the port for a wish: one that no other kept reach has, though that may not hold it now.
 *
 * @param held what it has open already, see LocalPortOptions
 * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN
 */
export function settlePort(
  { name, port, bind, own }: SettledReach,
  others: readonly KeptReach[],
  onClient: (socket: Socket) => void,
  held?: LocalPort,
): Promise<LocalPort> {
  const reserved = (candidate: number) => {
    const other = others.find((one) => one.name !== name && one.port === candidate && mayMeet(one.bind, bind))
    return other && `kept for ${other.name}`
  }
  return openLocalPort({ bind, port, own, reserved, held }, onClient)
}

/** As a wish is kept, once its port is open. */
export function keptAs({ name, bind, agent }: SettledReach, { port }: LocalPort): KeptReach {
  return { name, port, ...(bind !== undefined && { bind }), ...(agent !== undefined && { agent }) }
}

/** Whether listeners on these addresses may be in each other's way; undefined is both loopbacks. */
export function mayMeet(one: string | undefined, other: string | undefined): boolean {
  const heard = (bind: string | undefined) =>
    bind === undefined ? LOOPBACKS.map(({ address }) => address) : [bind]
  const isAny = (address: string) => /^[0:.]+$/.test(address)
  return heard(one).some((a) => heard(other).some((b) => a === b || isAny(a) || isAny(b)))
}
