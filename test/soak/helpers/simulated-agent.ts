import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../../src/config/config.ts'
import { ConnectError } from '../../../src/errors.ts'
import { isFatal } from '../../../src/fatal-errors.ts'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { dial } from '../../../src/hub-client/dial.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { backoffMs, HEALTHY_AFTER_MS } from '../../../src/hub-client/link/reconnect-backoff.ts'
import type { Link } from '../../../src/tunnel/link/link.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { encodeCtrl } from '../../../src/tunnel/protocol/encode.ts'
import type { AgentMessage } from '../../../src/tunnel/protocol/handshake.ts'

/** How it went so far. */
export interface Attempts {
  made: number
  /** Those that failed, by the code of the error. */
  readonly failed: Map<string, number>
}

/**
 * An agent that dials, waits and comes back as the real one does, offers one service and carries no streams.
 */
export class SimulatedAgent {
  readonly #config: Config
  readonly #signer: Signer
  readonly #attempts: Attempts
  readonly #linkId = randomBytes(16).toString('hex')
  #epoch = 0
  #link: Link | undefined
  #answered: (() => void) | undefined
  /** The hub has taken the link, and what it offers. */
  isUp = false

  private constructor(config: Config, attempts: Attempts) {
    this.#config = config
    this.#signer = new Signer(config)
    this.#attempts = attempts
  }

  static async join(hub: string, token: string, label: string, attempts: Attempts): Promise<SimulatedAgent> {
    const { hub: hubId, nonce } = await new HubClient({ hub }).info()
    const key = await newKey()
    const publicKey = { kty: key.kty, crv: key.crv, x: key.x }
    const config = { agentId: agentIdOf(publicKey), label, hub, hubId, insecure: false, key }
    await new HubClient({ hub }).join(new Signer(config), { token, key: publicKey, label }, nonce)
    return new SimulatedAgent(config, attempts)
  }

  /**
   * Connects, and comes back, until the signal says stop.
   *
   * @throws ConnectError if a real agent would give up
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      const started = performance.now()
      await this.#connectOnce(signal).catch((error: unknown) => this.#count(error, signal))
      if (performance.now() - started >= HEALTHY_AFTER_MS) failures = 0
      await sleep(backoffMs(failures++), undefined, { signal }).catch(() => {})
    }
  }

  /** To be called about once a second. */
  tick(): void {
    this.#link?.tick()
  }

  /**
   * @returns how long the hub took to answer over the link, in ms; undefined if the link was lost meanwhile
   */
  async ask(): Promise<number | undefined> {
    const link = this.#link
    if (!this.isUp || !link) return undefined
    const began = performance.now()
    await this.#offer(link)
    return this.#link === link ? performance.now() - began : undefined
  }

  async #connectOnce(signal: AbortSignal): Promise<void> {
    this.#attempts.made++
    const claims = { purpose: 'link', link: this.#linkId, epoch: ++this.#epoch, role: 'agent' }
    const link = await dial(this.#config, (nonce) => this.#signer.sign(claims, nonce), signal)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    link.attach({
      frame: (frame) => {
        if (frame.type !== 'ctrl') return
        // The first is the welcome.
        if (this.#link === link) this.#answered?.()
        else {
          this.#link = link
          void this.#offer(link).then(() => (this.isUp = this.#link === link))
        }
      },
      closed: () => end(),
    })
    send(link, { type: 'hello', version: '0.0.0-soak', label: this.#config.label })
    const stop = () => link.terminate('the test is over')
    signal.addEventListener('abort', stop)
    await ended
    signal.removeEventListener('abort', stop)
    this.#link = undefined
    this.isUp = false
    this.#answered?.()
  }

  /** Done once the hub has answered, or the link is lost. */
  async #offer(link: Link): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#answered = resolve
    send(link, { type: 'services', seq: 1, services: [{ name: this.#config.label, port: 1 }] })
    await promise
  }

  #count(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    if (isFatal(error) || !(error instanceof ConnectError)) throw error
    const { failed } = this.#attempts
    failed.set(error.code, (failed.get(error.code) ?? 0) + 1)
  }
}

function send(link: Link, message: AgentMessage): void {
  link.sendControl(encodeCtrl(message))
}
