import { EventEmitter, once } from 'node:events'
import { encodePing } from '../../../src/tunnel/protocol/encode.ts'
import type { PeerEnd } from './loopback.ts'
import { decodeWhole, type WholeFrame } from './whole-frames.ts'

type FrameOf<Type extends WholeFrame['type']> = Extract<WholeFrame, { type: Type }>

/**
 * Frames as a client's WebSocket sends them, each in a message of its own, with the mask that changes
 * nothing.
 */
export function batch(frames: readonly Buffer[], opcode = 0x82): Buffer {
  const messages = frames.flatMap((frame) => {
    if (frame.length > 125) throw new RangeError('only short frames')
    return [Buffer.of(opcode, 0x80 | frame.length, 0, 0, 0, 0), frame]
  })
  return Buffer.concat(messages)
}

/** The far end of a link, which says whatever the test wants, and notes what it hears. */
export class RawPeer {
  /** All that came, in order. */
  readonly heard: WholeFrame[] = []
  /** The flags of each of them. */
  readonly flags: number[] = []
  /** Settles once the WebSocket is closed. */
  readonly closed: Promise<{ code: number }>
  readonly #end: PeerEnd
  /** Of each type, those that no call has returned yet. */
  readonly #unread = new Map<WholeFrame['type'], WholeFrame[]>()
  readonly #arrivals = new EventEmitter()
  #pings = 0n
  #listener: ((frame: WholeFrame) => void) | undefined

  constructor(end: PeerEnd) {
    this.#end = end
    end.socket.on('message', (bytes: Buffer) => this.#hear(bytes))
    end.socket.on('error', () => {})
    this.closed = once(end.socket, 'close').then(([code]) => ({ code: Number(code) }))
  }

  send(...frames: (Buffer | string)[]): void {
    for (const frame of frames) this.#end.socket.send(frame)
  }

  /** Writes what `batch` has made. Done once there is room for more. */
  async write(bytes: Buffer): Promise<void> {
    const { raw } = this.#end
    if (!raw.write(bytes) && !raw.destroyed) await Promise.race([once(raw, 'drain'), this.closed])
  }

  get isOpen(): boolean {
    return this.#end.socket.readyState === this.#end.socket.OPEN
  }

  /** Waits for the next frame of this type that no call has returned before. */
  async next<Type extends WholeFrame['type']>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const frame = this.#unread.get(type)?.shift()
      if (frame) return frame as FrameOf<Type>
      try {
        await once(this.#arrivals, type, { signal: AbortSignal.timeout(30_000) })
      } catch {
        throw new Error(`no ${type} came, but ${JSON.stringify(this.heard.map((other) => other.type))}`)
      }
    }
  }

  /** Waits until the far end has seen all that was sent, and its answers have come. */
  async settled(): Promise<void> {
    const token = ++this.#pings
    this.send(encodePing(token))
    for (;;) if ((await this.next('pong')).token === token) return
  }

  /** From now on frames are not kept, but handed over; only PONGs are still waited for. */
  listen(listener: (frame: WholeFrame) => void): void {
    this.#listener = listener
  }

  #hear(bytes: Buffer): void {
    const frame = decodeWhole(bytes)
    if (this.#listener) {
      this.#listener(frame)
      if (frame.type === 'rst') this.heard.push(frame)
      if (frame.type !== 'pong') return
    }
    this.heard.push(frame)
    this.flags.push(bytes[1]!)
    const unread = this.#unread.get(frame.type)
    if (unread) unread.push(frame)
    else this.#unread.set(frame.type, [frame])
    this.#arrivals.emit(frame.type)
  }

  /** Frames of this type so far. */
  count(type: WholeFrame['type']): number {
    return this.heard.filter((frame) => frame.type === type).length
  }

  stopReading(): void {
    this.#end.raw.pause()
  }

  readAgain(): void {
    this.#end.raw.resume()
  }

  /** Closes in good order, behind all that was sent. */
  hangUp(): void {
    this.#end.socket.close(1000)
  }

  /** Goes away as a machine does that lost its power. */
  vanish(): void {
    this.#end.raw.destroy()
  }
}
