import { Duplex } from 'node:stream'
import { giveBack, isPiece, keep } from '../../memory/pieces.ts'
import { STREAM_CODES } from '../protocol/codes.ts'
import { MAX_DATA_BYTES } from '../protocol/limits.ts'
import { resetError } from '../protocol/reset-error.ts'
import type { Stream } from './stream.ts'

type Callback = (error?: Error | null) => void

/** What is written waits for the far end to have it: its memory has to be about what is counted. */
const KEPT_SHARE = 0.75

/**
 * A stream as a program of this process uses it. Each direction ends by itself: the far end's end is `end`,
 * and `end()` leaves the other direction open. A reset is an error, never a clean end, and `destroy()` before
 * both ends is a reset for the far end.
 *
 * Emits `connect` when the far end has accepted, and `close` not before it has all that was written.
 */
export class StreamDuplex extends Duplex {
  readonly #stream: Stream
  /** Bytes that wait for the reader. */
  #untaken = 0
  /** What is not sent yet of the write that is going on. */
  #unsent: { bytes: Buffer; callback: Callback } | undefined
  /** Called once the far end has all, or won't. */
  #closing: Callback | undefined
  #isOver = false

  constructor(stream: Stream) {
    super()
    this.#stream = stream
    // After the last byte there is no `_read` any more.
    this.once('end', () => this.#taken())
    stream.attach({
      opened: () => this.emit('connect'),
      data: (chunk) => {
        if (this.push(isPiece(chunk) ? plain(chunk) : chunk)) stream.consumed(chunk.length)
        else this.#untaken += chunk.length
      },
      end: () => this.push(null),
      drain: () => this.#send(),
      reset: (code, message) => this.#over(resetError(stream.service, code, message)),
      done: () => this.#over(),
    })
  }

  override _read(): void {
    this.#taken()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#unsent = { bytes, callback }
    this.#send()
  }

  override _final(callback: Callback): void {
    this.#stream.end()
    callback()
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const isEnded = !error && this.readableEnded && this.writableFinished
    if (isEnded && !this.#isOver) {
      this.#closing = callback
      return
    }
    if (!this.#isOver) this.#stream.reset(STREAM_CODES.PEER_RESET, 'the connection was closed')
    this.#unsent?.callback(error ?? new Error('the connection was closed'))
    this.#unsent = undefined
    callback(error)
  }

  #taken(): void {
    const bytes = this.#untaken
    this.#untaken = 0
    if (bytes > 0) this.#stream.consumed(bytes)
  }

  /** Copies: the far end may need bytes once more, and whoever wrote them may use their memory again. */
  #send(): void {
    const { bytes, callback } = this.#unsent ?? {}
    if (!bytes) return
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const part = keep(bytes.subarray(at, at + MAX_DATA_BYTES), KEPT_SHARE)
      if (this.#stream.write(part)) continue
      this.#unsent = { bytes: bytes.subarray(at + MAX_DATA_BYTES), callback: callback! }
      return
    }
    this.#unsent = undefined
    callback!()
  }

  #over(error?: Error): void {
    this.#isOver = true
    if (this.#closing) this.#closing(error)
    else if (error) this.destroy(error)
  }
}

/** Of memory as any program knows it: of a piece Node.js's own Blob takes all, whatever lies in it. */
function plain(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk)
  giveBack(chunk)
  return copy
}
