import { CLOSE_CODES } from './close-codes.ts'
import { FrameHeader, headerBytes, MAX_CONTROL_BYTES, MAX_HEADER_BYTES, OPCODE } from './frame-header.ts'
import { mask } from './mask.ts'
import { Chunks } from './chunks.ts'
import { ProtocolError } from './protocol-error.ts'

/** Fragments of one message: intermediaries may cut it up (§5.4), but none has a reason to cut it finer. */
export const MAX_FRAGMENTS = 64

export interface FrameSink {
  message(chunks: Buffer[], bytes: number): void
  /** @param payload overwritten by the next control frame */
  control(opcode: number, payload: Buffer): void
}

export interface FrameReaderOptions {
  /** Whether frames must come masked; if not, they must not (§5.1). */
  readonly masked: boolean
  readonly maxMessageBytes: number
}

/** Bytes in, whole messages and control frames out (RFC 6455 §5). Payloads are unmasked in place. */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #options: FrameReaderOptions
  readonly #header = new FrameHeader()
  /** The part of a header that has come, when it straddles reads. */
  readonly #partial = Buffer.allocUnsafe(MAX_HEADER_BYTES)
  #partialBytes = 0
  #inPayload = false
  /** Bytes of the payload that are still to come. */
  #left = 0
  // Many readers are idle: theirs are parts of one piece of memory, which 55 share.
  readonly #control = Buffer.allocUnsafe(MAX_CONTROL_BYTES)
  readonly #message = new Chunks()
  /** How many the message that is coming in has so far; 0 between messages. */
  #fragments = 0
  #isStopped = false
  #isPaused = false
  #isShared = false

  constructor(sink: FrameSink, options: FrameReaderOptions) {
    this.#sink = sink
    this.#options = options
  }

  /**
   * Takes what was read, and changes it.
   *
   * @param isShared the memory will be overwritten; otherwise messages are views of it
   * @returns how many bytes it took: not all if `pause` was called meanwhile; the rest is to be pushed again
   * @throws ProtocolError after which nothing more may be pushed
   */
  push(chunk: Buffer, isShared = false): number {
    this.#isShared = isShared
    let at = 0
    while (at < chunk.length && !this.#isStopped && !this.#isPaused) {
      at = this.#inPayload ? this.#readPayload(chunk, at) : this.#readHeader(chunk, at)
    }
    return this.#isStopped ? chunk.length : at
  }

  /** Takes nothing more until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** Ignores all that comes from now on. */
  stop(): void {
    this.#isStopped = true
    this.#message.take()
  }

  /** @returns up to where the chunk is read */
  #readHeader(chunk: Buffer, at: number): number {
    if (this.#partialBytes === 0 && at + 1 < chunk.length) {
      const end = at + headerBytes(chunk[at + 1]!)
      if (end <= chunk.length) {
        this.#header.read(chunk, at)
        this.#begin()
        return end
      }
    }
    const wanted = this.#partialBytes < 2 ? 2 : headerBytes(this.#partial[1]!)
    const copied = chunk.copy(this.#partial, this.#partialBytes, at, at + wanted - this.#partialBytes)
    this.#partialBytes += copied
    if (this.#partialBytes >= 2 && this.#partialBytes === headerBytes(this.#partial[1]!)) {
      this.#partialBytes = 0
      this.#header.read(this.#partial, 0)
      this.#begin()
    }
    return at + copied
  }

  /** @returns up to where the chunk is read */
  #readPayload(chunk: Buffer, at: number): number {
    const { key, length, isControl } = this.#header
    const offset = length - this.#left
    const payload = chunk.subarray(at, at + this.#left)
    if (key !== 0) mask(payload, key, offset)
    if (isControl) payload.copy(this.#control, offset)
    else this.#message.add(payload, this.#isShared)
    this.#left -= payload.length
    if (this.#left === 0) this.#finish()
    return at + payload.length
  }

  #begin(): void {
    const { isMasked, isControl, length } = this.#header
    if (isMasked !== this.#options.masked)
      throw breach(isMasked ? 'a masked frame' : 'a frame without a mask')
    if (!isControl) this.#beginFragment()
    this.#left = length
    this.#inPayload = true
    if (length === 0) this.#finish()
  }

  #beginFragment(): void {
    const { opcode, length } = this.#header
    if (opcode === OPCODE.CONTINUATION && this.#fragments === 0) throw breach('a continuation of no message')
    if (opcode !== OPCODE.CONTINUATION && this.#fragments > 0) throw breach('a message within another')
    if (opcode === OPCODE.TEXT) throw new ProtocolError(CLOSE_CODES.UNSUPPORTED, 'a text message')
    const bytes = this.#message.bytes + length
    if (bytes > this.#options.maxMessageBytes) {
      throw new ProtocolError(CLOSE_CODES.TOO_BIG, `a message of ${bytes} bytes`)
    }
    if (++this.#fragments > MAX_FRAGMENTS) {
      throw new ProtocolError(CLOSE_CODES.POLICY, `a message in more than ${MAX_FRAGMENTS} fragments`)
    }
  }

  #finish(): void {
    const { isControl, isFinal, opcode, length } = this.#header
    this.#inPayload = false
    if (isControl) return this.#sink.control(opcode, this.#control.subarray(0, length))
    if (!isFinal) return
    this.#fragments = 0
    const { bytes } = this.#message
    this.#sink.message(this.#message.take(), bytes)
  }
}

function breach(message: string): ProtocolError {
  return new ProtocolError(CLOSE_CODES.PROTOCOL, message)
}
