import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { hubOf, requireConfig, type Config } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { Neighbours } from '../control/presence/neighbours.ts'
import { ConnectError } from '../errors.ts'
import { findServices } from '../hub-client/find-services.ts'
import type { HubLink } from '../hub-client/link/hub-link.ts'
import type { Log } from '../log/log.ts'
import { clientLink } from '../reach/client-link.ts'
import { Dialer } from '../reach/dialer.ts'
import { openLocalPort } from '../reach/local-port.ts'
import { HOLD_MS } from '../reach/opener.ts'
import { openServiceListener, type ServiceListenerOptions } from '../reach/service-listener.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'
import { ownVersion } from './installed.ts'
import type { ConnectOptions, ListenOptions, LocalListener, Reached, ReachOptions } from './reached.ts'

/** @throws ConnectError as `reach` of library.ts; the signal's reason */
export async function openReached(name: string, options: ReachOptions): Promise<Reached> {
  const { signal } = options
  signal?.throwIfAborted()
  const wanted = parseServiceName(name)
  const saved = requireConfig(instanceFor(options.config))
  const config = { ...saved, hub: hubOf(saved) }
  const [service] = await findServices(config, [wanted]).finally(() => signal?.throwIfAborted())
  return new OpenReached(config, service!, options)
}

class OpenReached implements Reached {
  readonly name: string
  readonly port: number | undefined
  readonly label: string
  readonly online: boolean
  readonly closed: Promise<void>
  readonly #dialer: Dialer
  /** Of each port that is opened. */
  readonly #listening: ServiceListenerOptions
  readonly #listeners = new Set<LocalListener>()
  readonly #stop = new AbortController()
  /** What comes of using it once it is closed. */
  #why: unknown

  constructor(config: Config, service: OfferedService, { signal, holdMs = HOLD_MS, log }: ReachOptions) {
    this.name = service.name
    this.port = service.port
    this.label = service.label
    this.online = service.online
    const tell: Log = (line) => log?.(line)
    const { link, opener } = clientLink({ config, version: ownVersion(), log: tell, holdMs })
    const { name } = service
    this.#dialer = new Dialer(link, opener, name, holdMs)
    const { hubId } = config
    this.#listening = { opener, neighbours: new Neighbours(), hubId, name, log: tell, holdMs }
    this.closed = this.#run(link, signal)
    // Whoever connects meets the error, too.
    this.closed.catch(() => {})
  }

  async connect({ signal }: ConnectOptions = {}): Promise<Duplex> {
    const duplex = await this.#dialer.dial(signal)
    // A reset may come with the answer, before the caller has anything to listen to.
    const heard = () => {}
    duplex.on('error', heard)
    try {
      await once(duplex, 'connect', { signal })
      if (duplex.errored) throw duplex.errored
      duplex.off('error', heard)
      return duplex
    } catch (error) {
      duplex.destroy()
      throw signal?.aborted ? signal.reason : error
    }
  }

  async listen({ port = 0, host }: ListenOptions = {}): Promise<LocalListener> {
    const opened = await openServiceListener(this.#listening, (onClient) =>
      openLocalPort({ bind: host, port }, onClient),
    )
    const { addresses } = opened
    const close = async () => {
      this.#listeners.delete(listener)
      opened.close()
    }
    const listener = {
      host: addresses[0]!,
      port: opened.port,
      addresses,
      close,
      [Symbol.asyncDispose]: close,
    }
    this.#listeners.add(listener)
    if (!this.#stop.signal.aborted) return listener
    await close()
    throw this.#why
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #run(link: HubLink, signal: AbortSignal | undefined): Promise<void> {
    const stop = () => this.#stop.abort()
    signal?.addEventListener('abort', stop)
    this.#why = new ConnectError('CONNECTION_RESET', `"${this.name}" was closed by this program`)
    try {
      await link.run(this.#stop.signal)
    } catch (error) {
      this.#why = error
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#stop.abort()
      this.#dialer.close(this.#why)
      for (const listener of this.#listeners) await listener.close()
    }
  }
}
