import type { Config } from '../../config/config.ts'
import { proxyFor, shownProxy, type Proxy } from '../../config/proxy/proxy.ts'
import { ConnectError } from '../../errors.ts'
import { openConnection } from '../../hub-client/connection.ts'
import { Signer } from '../../hub-client/credential.ts'
import { HubClient } from '../../hub-client/hub-client.ts'
import { hubUnreachable } from '../../hub-client/hub-unreachable.ts'
import { openTunnel } from '../../hub-client/proxy-connect.ts'
import { openTcp, peerOf } from '../../hub-client/socket.ts'
import { trustContext } from '../../hub-client/tls/authorities.ts'
import { knownAddresses, type Address } from '../../net/known-addresses.ts'
import { askedNames } from '../../net/name-resolver.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import type { OfferedService } from '../../tunnel/protocol/handshake.ts'
import { restsOn, Skipped } from './skipped.ts'
import { askForLink } from './ask-for-link.ts'
import { askWhoItIs, type HubAnswer } from './ask-who-it-is.ts'
import { explainCertificate, servedChain, type ServedChain } from './served-chain.ts'

/** How long one stage may take, in ms: that one hangs must leave the others their time. */
const STAGE_MS = 3000

/**
 * The way from here to this machine's hub, in its stages. Each is gone once, when the first check asks, and
 * as an agent goes it. It throws what is wrong with the stage itself; Skipped where there is no such stage,
 * or one before it has failed.
 */
export class HubWay {
  readonly config: Config
  readonly #stageMs: number
  readonly #stages = new Map<string, Promise<unknown>>()

  /**
   * @param config with a hub's address as hubOf has checked it
   * @param stageMs how long one stage may take, default 3,000
   */
  constructor(config: Config, stageMs = STAGE_MS) {
    this.config = config
    this.#stageMs = stageMs
  }

  /** The proxy to go through, if any. @throws ConnectError BAD_PROXY */
  proxy(): Promise<Proxy | undefined> {
    return this.#once('proxy', async () => proxyFor(this.config, process.env))
  }

  /** The addresses of the hub's host. @throws ConnectError HUB_UNREACHABLE */
  names(): Promise<readonly Address[]> {
    return this.#once('names', async () => {
      const { hostname } = this.#url
      await this.#mustBeDirect('looks the hub’s name up')
      // Not by getaddrinfo at once, as an agent does: while name servers are silent no process can end it.
      return knownAddresses(hostname) ?? this.#reaching(() => askedNames.resolve(hostname))
    })
  }

  /** A connection to the hub's port. @throws ConnectError HUB_UNREACHABLE */
  tcp(): Promise<void> {
    return this.#once('tcp', async () => {
      await this.#mustBeDirect('connects to the hub')
      await after(this.names(), 'the hub’s name can’t be looked up')
      const socket = await this.#reaching((signal) => openTcp(peerOf(this.#url), signal))
      socket.destroy()
    })
  }

  /** A way through the proxy to the hub's port. @throws ConnectError BAD_PROXY, PROXY_FAILED, BAD_CA */
  tunnel(): Promise<Proxy> {
    return this.#once('tunnel', async () => {
      const proxy = await this.proxy()
      if (!proxy) throw new Skipped('No proxy is set for the hub')
      const trust = proxy.url.protocol === 'https:' ? trustContext(this.config.ca) : undefined
      const socket = await this.#reaching((signal) => openTunnel(proxy, peerOf(this.#url), trust, signal))
      socket.destroy()
      return proxy
    })
  }

  /** A certificate that is believed. @throws ConnectError HUB_UNREACHABLE, BAD_CA, WRONG_AUTHORITY */
  tls(): Promise<ServedChain> {
    return this.#once('tls', async () => {
      if (!this.#isTls) throw new Skipped('The hub is reached over plain http')
      await this.#connected()
      try {
        const socket = await this.#reaching((signal) => openConnection(this.config, signal))
        socket.destroy()
      } catch (error) {
        throw await explainCertificate(this.config, error as ConnectError, this.#stageMs)
      }
      return this.#reaching(() => servedChain(this.config, this.#stageMs))
    })
  }

  /** The same for what rests on it. @throws Skipped */
  secured(): Promise<ServedChain> {
    return after(this.tls(), 'TLS to the hub fails')
  }

  /** The hub's word that it is one. @throws ConnectError NOT_A_HUB, HUB_UNREACHABLE */
  answer(): Promise<HubAnswer> {
    return this.#once('answer', async () => {
      if (this.#isTls) await this.secured()
      else await this.#connected()
      return askWhoItIs(this.config, this.#stageMs)
    })
  }

  /** The same for what rests on it. @throws Skipped */
  answered(): Promise<HubAnswer> {
    return after(this.answer(), 'the hub does not answer')
  }

  /**
   * What the workspace offers, which takes a credential.
   *
   * @throws ConnectError WRONG_HUB, REVOKED, AGENT_UNKNOWN, CONFIG_DAMAGED, HUB_ERROR, HUB_UNREACHABLE
   */
  offers(): Promise<OfferedService[]> {
    return this.#once('offers', async () => {
      const { config } = this
      const { info } = await this.answered()
      if (info.hub !== config.hubId) throw otherHub(config, info.hub)
      return new HubClient(config, this.#stageMs).services(new Signer(config))
    })
  }

  /**
   * A WebSocket, which is closed again.
   *
   * @returns whether it was opened: without a credential only the request for it has arrived
   * @throws ConnectError HUB_UNREACHABLE, HUB_ERROR
   */
  webSocket(): Promise<boolean> {
    return this.#once('webSocket', async () => {
      await this.answered()
      const isMember = await this.offers().then(
        () => true,
        () => false,
      )
      return askForLink(this.config, isMember, this.#stageMs)
    })
  }

  /** @throws Skipped unless a link can be opened from here */
  async connectable(): Promise<void> {
    await after(this.offers(), 'the credential is not accepted')
    await after(this.webSocket(), 'no WebSocket is let through')
  }

  get #url(): URL {
    return new URL(this.config.hub)
  }

  get #isTls(): boolean {
    return this.#url.protocol === 'https:'
  }

  /** @throws Skipped unless there is a connection that all else can go over */
  async #connected(): Promise<void> {
    if (await after(this.proxy(), BAD_PROXY)) await after(this.tunnel(), 'the proxy does not lead to the hub')
    else await after(this.tcp(), 'there is no connection to the hub')
  }

  async #mustBeDirect(what: string): Promise<void> {
    const proxy = await after(this.proxy(), BAD_PROXY)
    if (proxy) throw new Skipped(`The proxy ${shownProxy(proxy.url)} ${what}`)
  }

  /** @throws ConnectError, also for what is no answer in time: a look-up heeds no signal */
  async #reaching<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const late = () => new DOMException('no answer in time', 'TimeoutError')
    try {
      return await withDeadline(() => work(abort.signal), this.#stageMs, late)
    } catch (error) {
      throw hubUnreachable(this.config.hub, error)
    } finally {
      abort.abort()
    }
  }

  #once<T>(name: string, go: () => Promise<T>): Promise<T> {
    const gone = (this.#stages.get(name) as Promise<T> | undefined) ?? go()
    this.#stages.set(name, gone)
    return gone
  }
}

const BAD_PROXY = 'the proxy that is set can’t be used'

/** @throws Skipped if a stage that all later ones need has failed, or is skipped for a failure itself */
function after<T>(stage: Promise<T>, why: string): Promise<T> {
  return restsOn(() => stage, `Not looked at, since ${why}`)
}

function otherHub({ hub, hubId }: Config, found: string): ConnectError {
  const message = `The hub at ${hub} is ${found}, and this machine’s credential is of ${hubId}`
  return new ConnectError('WRONG_HUB', message, {
    hints: ['If the hub was made anew: connect logout, then connect login with an invite to it'],
  })
}
