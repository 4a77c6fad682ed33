import { performance } from 'node:perf_hooks'
import { encodeCtrl, encodeOpenOk } from '../../../src/tunnel/protocol/encode.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { until } from '../../helpers/until.ts'
import type { RawPeer } from '../../tunnel/helpers/raw-peer.ts'
import type { RealHub } from '../../tunnel/helpers/real-hub.ts'
import { open } from '../../tunnel/helpers/switched.ts'
import { encodeData } from '../../tunnel/helpers/whole-frames.ts'

const EVERY_MS = 20

/**
 * A member that serves: it takes every stream, and sends back what comes.
 *
 * @param opened called for each stream
 */
export async function serveEcho(hub: RealHub, service: string, opened = () => {}): Promise<RawPeer> {
  const peer = await hub.link(await hub.join())
  peer.send(encodeCtrl({ type: 'hello', version: '0.0.0', label: service }))
  await peer.next('ctrl')
  peer.send(encodeCtrl({ type: 'services', seq: 1, services: [{ name: service, port: 80 }] }))
  await peer.next('ctrl')
  peer.listen((frame) => {
    if (frame.type === 'open') {
      peer.send(encodeOpenOk(frame.stream, INITIAL_WINDOW))
      opened()
    } else if (frame.type === 'data') peer.send(encodeData(frame.stream, frame.payload))
  })
  return peer
}

/** Someone who has done nothing: bytes that go to and fro on one stream all the time. */
export class Innocent {
  readonly peer: RawPeer
  readonly #timer: NodeJS.Timeout
  #sentAt: number | undefined
  #count = 0
  /** How long each byte took, in ms. */
  #took: number[] = []

  private constructor(peer: RawPeer) {
    this.peer = peer
    peer.listen((frame) => {
      if (frame.type !== 'data' || this.#sentAt === undefined) return
      this.#took.push(performance.now() - this.#sentAt)
      this.#sentAt = undefined
      this.#count++
    })
    this.#timer = setInterval(() => {
      if (this.#sentAt !== undefined) return
      this.#sentAt = performance.now()
      peer.send(encodeData(1, Buffer.of(1)))
    }, EVERY_MS)
  }

  static async start(hub: RealHub, service: string): Promise<Innocent> {
    const peer = await hub.link(await hub.join(), { role: 'client' })
    peer.send(open(1, service))
    await peer.next('openOk')
    return new Innocent(peer)
  }

  /** The round trips since this was asked last, the one that has yet to end included. */
  take(): number[] {
    const took = this.#took
    this.#took = []
    if (this.#sentAt !== undefined) took.push(performance.now() - this.#sentAt)
    return took
  }

  /** Once another byte has come back. */
  async next(): Promise<void> {
    const before = this.#count
    await until(() => this.#count > before, { timeoutMs: 60_000, everyMs: EVERY_MS })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.peer.vanish()
  }
}
