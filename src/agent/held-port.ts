import type { Socket } from 'node:net'
import { localAddressOf, type KeptReach } from '../config/reaches.ts'
import type { Announcement } from '../control/presence/announce.ts'
import { tryAnnounce } from '../control/presence/try-announce.ts'
import { ConnectError } from '../errors.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { LOOPBACKS } from '../net/known-addresses.ts'
import { openLocalPort, type LocalPort } from '../reach/local-port.ts'
import { connectionPlaces } from '../runtime/connection-places.ts'

/** How often a port is tried that can't be had, in ms: it is to be taken within a second of being free. */
const RETRY_MS = 500

export interface HeldPortOptions {
  readonly hubId: string
  readonly log: Log
  readonly onClient: (socket: Socket) => void
  /** Default 500. */
  readonly retryMs?: number | undefined
}

/** The local port of a kept reach: never another one, and tried again and again until it is held. */
export class HeldPort {
  readonly reach: KeptReach
  readonly #options: HeldPortOptions
  #port: LocalPort | undefined
  #presence: Announcement | undefined
  #giveBack: (() => void) | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false
  /** Why the port is not held. */
  #failure: ConnectError | undefined
  #since = Date.now()
  /** Whoever takes and leaves the port in turns must not fill the log. */
  readonly #failures = new LineLimiter({ everyMs: 60_000, lines: 3 })

  constructor(reach: KeptReach, options: HeldPortOptions) {
    this.reach = reach
    this.#options = options
  }

  /** The addresses that are listened on; none while the port can't be had. */
  get addresses(): readonly string[] {
    return this.#port?.addresses ?? []
  }

  /** What is listened with; undefined while the port can't be had. */
  get opened(): LocalPort | undefined {
    return this.#port
  }

  /** Why the port can't be had; undefined while it is held, or not tried yet. */
  get failure(): ConnectError | undefined {
    return this.#failure
  }

  /** Since when the port has been held, or not; ms since 1970. */
  get since(): number {
    return this.#since
  }

  /** Takes over a port that is open already. */
  hold(port: LocalPort): void {
    this.#port = port
    this.#giveBack = connectionPlaces.reserve(port.addresses.length)
    const { name } = this.reach
    const { hubId, log } = this.#options
    const addresses = [...port.addresses]
    this.#presence = tryAnnounce({ kind: 'reach', hubId, service: name, addresses, port: port.port }, log)
    this.#failure = undefined
    this.#since = Date.now()
    log(`[ok] ${name} is at ${localAddressOf(this.reach)}`)
  }

  /** Tries to open the port, until that succeeds or the port is closed. */
  async open(): Promise<void> {
    let giveBack: (() => void) | undefined
    try {
      // Now, since others open theirs meanwhile.
      giveBack = reserveToListen()
      const { bind, port } = this.reach
      const opened = await openLocalPort({ bind, port }, this.#options.onClient)
      giveBack()
      if (this.#isClosed) opened.close()
      else this.hold(opened)
    } catch (error) {
      giveBack?.()
      if (!(error instanceof ConnectError)) throw error
      if (!this.#isClosed) this.#failed(error)
    }
  }

  /** Frees the port at once, but for what another one goes on with. Whoever has connected stays connected. */
  close(heir?: LocalPort): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#port?.close(heir)
    this.#port = undefined
    this.#presence?.withdraw()
    this.#giveBack?.()
  }

  #failed(error: ConnectError): void {
    if (this.#failure?.message !== error.message) {
      const line = `[!] ${this.reach.name} is not at ${localAddressOf(this.reach)}: ${error.message}. Trying again`
      this.#failures.write(
        '',
        (text) => this.#options.log(text, 'warn'),
        () => line,
      )
    }
    this.#failure = error
    this.#retry = setTimeout(() => void this.open(), this.#options.retryMs ?? RETRY_MS)
    this.#retry.unref()
  }
}

/**
 * Takes descriptors for a port that is to be opened.
 *
 * @returns gives them back; again does no harm
 * @throws ConnectError SYSTEM_FAILED if the agent needs those that are left for all else
 */
export function reserveToListen(): () => void {
  const why = connectionPlaces.whyNoneToReserve
  if (why !== undefined) throw new ConnectError('SYSTEM_FAILED', `No more ports can be held: ${why}`)
  return connectionPlaces.reserve(LOOPBACKS.length)
}
