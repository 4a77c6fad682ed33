import { ConnectError } from '../errors.ts'
import type { HubLink } from '../hub-client/link/hub-link.ts'
import { StreamDuplex } from '../tunnel/stream/stream-duplex.ts'
import type { Opener, Opening, Queue } from './opener.ts'

interface Waiting {
  readonly carry: (duplex: StreamDuplex) => void
  readonly fail: (error: unknown) => void
}

/** Opens connections to a service for this very process. Each waits for the link, or for its turn. */
export class Dialer implements Queue {
  readonly #link: HubLink
  readonly #opener: Opener
  readonly name: string
  readonly #holdMs: number
  /** The one that has waited longest is the first. */
  readonly #waiting = new Set<Waiting>()
  #closed: { readonly reason: unknown } | undefined

  /** @param holdMs how long each waits, in ms */
  constructor(link: HubLink, opener: Opener, name: string, holdMs: number) {
    this.#link = link
    this.#opener = opener
    this.name = name
    this.#holdMs = holdMs
    opener.add(this)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Opens a connection as soon as the link is up. It may be written to at once, and emits `connect` once the
   * service has accepted it.
   *
   * @throws ConnectError HUB_UNREACHABLE if the link stays down, CONNECTION_RESET if too many wait; the
   * signal's reason
   */
  async dial(signal?: AbortSignal): Promise<StreamDuplex> {
    signal?.throwIfAborted()
    if (this.#closed) throw this.#closed.reason
    if (!this.#opener.mayWait(this))
      throw new ConnectError('CONNECTION_RESET', `${this.waiting} connections are waiting already`)
    const { promise, resolve, reject } = Promise.withResolvers<StreamDuplex>()
    const waiting: Waiting = {
      carry: resolve,
      fail: (error) => {
        this.#waiting.delete(waiting)
        reject(error)
      },
    }
    const timer = setTimeout(() => waiting.fail(this.#late()), this.#holdMs)
    const abort = () => waiting.fail(signal!.reason)
    signal?.addEventListener('abort', abort)
    this.#waiting.add(waiting)
    this.#opener.carry()
    return promise.finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    })
  }

  carryOne(): void {
    const [first] = this.#waiting
    this.#waiting.delete(first!)
    first!.carry(connectionOver(this.#opener.open(this.name, 0)!))
  }

  /** Those that wait, and all after them, fail with this. */
  close(reason: unknown): void {
    this.#closed = { reason }
    this.#opener.remove(this)
    for (const { fail } of this.#waiting) fail(reason)
  }

  #late(): ConnectError {
    if (this.#link.isUp)
      return new ConnectError('CONNECTION_RESET', 'Too many connections wait for an answer')
    const { state, hub } = this.#link
    const why = state.state === 'retrying' ? state.reason : `No answer from the hub at ${hub}`
    return new ConnectError('HUB_UNREACHABLE', `${why} (tried for ${this.#holdMs / 1000} s)`)
  }
}

function connectionOver({ stream, answered }: Opening): StreamDuplex {
  const duplex = new StreamDuplex(stream)
  duplex.once('connect', answered)
  duplex.once('close', answered)
  return duplex
}
