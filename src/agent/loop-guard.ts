import type { Config } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { isControlSocket } from '../control/control-socket.ts'
import type { Announcement } from '../control/presence/announce.ts'
import { Neighbours } from '../control/presence/neighbours.ts'
import type { AgentPresence } from '../control/presence/presence.ts'
import { tryAnnounce } from '../control/presence/try-announce.ts'
import { isSameFile } from '../files/is-same-file.ts'
import type { Log } from '../log/log.ts'
import type { Address } from '../net/known-addresses.ts'
import { leadsTo } from '../net/own-address.ts'

/** A target that is a `reach` itself: it would lead from stream to stream for ever. */
export class LoopError extends Error {
  override readonly name = 'LoopError'
}

/**
 * The addresses of a target that don't lead back into the hub's own tunnel.
 *
 * @returns with them, whether one leads to a `reach` to another hub
 * @throws LoopError if none is left
 */
export function withoutLoops(
  addresses: readonly Address[],
  { port, hubId }: { port: number; hubId: string },
  neighbours: Neighbours,
): { addresses: readonly Address[]; chains: boolean } {
  const reaches = neighbours.reachesAt(port)
  if (reaches.length === 0) return { addresses, chains: false }
  const leading = ({ address }: Address) =>
    reaches.filter((reach) => reach.addresses.some((listener) => leadsTo(address, listener)))
  const others = addresses.filter((address) => leading(address).every((reach) => reach.hubId !== hubId))
  if (others.length === 0) {
    const [reach] = addresses.flatMap(leading)
    throw new LoopError(`it is the local port of "connect reach ${reach!.service}", which goes in a loop`)
  }
  return { addresses: others, chains: others.some((address) => leading(address).length > 0) }
}

/**
 * Checks that a Unix socket is none that a `reach` listens at, be it to another hub: of who comes in there
 * nobody can tell how far they have come. And none that commands control an agent or a hub by: who may write
 * beside a socket that is exposed can have a link lead there.
 *
 * @param known sockets that control agents, beside those that the neighbours tell of
 * @throws LoopError, or Error
 */
export function checkSocket(path: string, neighbours: Neighbours, known: readonly string[] = []): void {
  const [reach] = neighbours.reachesAtSocket((other) => isSameFile(path, other))
  if (isControlSocket(path, neighbours, known))
    throw new Error('it leads to the socket by which commands control an agent or a hub')
  if (!reach) return
  const instead = 'to pass a service on to another hub, have it listen at a port'
  throw new LoopError(`it is the socket of "connect reach ${reach.service}"; ${instead}`)
}

/** Keeps an agent from dialling the ports of a `reach` on this machine, and tells those what it has to. */
export class LoopGuard {
  readonly #neighbours = new Neighbours()
  #presence: AgentPresence
  readonly #announcement: Announcement | undefined

  constructor({ hubId, agentId }: Config, { socketPath }: Instance, log: Log) {
    this.#presence = { kind: 'agent', hubId, agentId, socketPath, chains: false }
    this.#announcement = tryAnnounce(this.#presence, log)
  }

  /**
   * The addresses that may be dialled for a stream.
   *
   * @throws LoopError if each of them leads back
   */
  choose(addresses: readonly Address[], port: number): readonly Address[] {
    const chosen = withoutLoops(addresses, { port, hubId: this.#presence.hubId }, this.#neighbours)
    if (chosen.chains) this.#chain()
    return chosen.addresses
  }

  /** @throws LoopError, or Error, if the socket may not be dialled */
  checkSocket(path: string): void {
    checkSocket(path, this.#neighbours, [this.#presence.socketPath])
  }

  stop(): void {
    this.#announcement?.withdraw()
  }

  /**
   * A `reach` to another hub may lead back to this one by way of others: it asks how far a
   * connection has come.
   */
  #chain(): void {
    if (this.#presence.chains) return
    const chaining = { ...this.#presence, chains: true }
    // What can't be said must not be done: whoever dials hears of the full disk.
    this.#announcement?.change(chaining)
    this.#presence = chaining
  }
}
