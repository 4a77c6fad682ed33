import { randomBytes } from 'node:crypto'
import { GOAWAY_CODES, STREAM_CODES } from './codes.ts'
import { encodeOpen, encodeOpenErr, encodeRst, STREAM_KEY_BYTES } from './frames.ts'
import { INITIAL_WINDOW, MAX_STREAMS } from './limits.ts'
import type { Link, LinkFrame } from './link.ts'
import { Stream } from './stream.ts'
import { StreamNumbers } from './stream-numbers.ts'

export interface MuxHandler {
  /** The far end opens a stream: attach, then accept or refuse it. */
  open(stream: Stream): void
  ctrl(message: unknown): void
  goaway(code: number, afterMs: number, message: string): void
  closed(reason: string): void
}

/** An agent's end of a link: its streams by number. */
export class Mux {
  readonly #link: Link
  readonly #handler: MuxHandler
  readonly #streams = new Map<number, Stream>()
  readonly #numbers = new StreamNumbers('agent')

  constructor(link: Link, handler: MuxHandler) {
    this.#link = link
    this.#handler = handler
    link.attach({
      frame: (frame) => this.#frame(frame),
      sent: (stream, bytes) => this.#streams.get(stream)?.sent(bytes),
      closed: (reason) => {
        for (const stream of this.#streams.values()) stream.abandon(STREAM_CODES.LINK_LOST, reason)
        handler.closed(reason)
      },
    })
  }

  get streamCount(): number {
    return this.#streams.size
  }

  /** Opens a stream to a service. It may be written to at once; `opened` or `reset` tells what came of it. */
  open(service: string): Stream {
    const id = this.#numbers.next((number) => this.#streams.has(number))
    const key = randomBytes(STREAM_KEY_BYTES)
    const stream = this.#add({ id, key, service, from: '' })
    this.#link.sendControl(encodeOpen(id, key, INITIAL_WINDOW, service))
    return stream
  }

  #add(open: { id: number; key: Buffer; service: string; from: string }, limit?: number): Stream {
    const stream = new Stream(this.#link, open, () => this.#streams.delete(open.id), limit)
    this.#streams.set(open.id, stream)
    return stream
  }

  #frame(frame: LinkFrame): void {
    switch (frame.type) {
      case 'ctrl': {
        this.#handler.ctrl(frame.message)
        break
      }
      case 'goaway': {
        this.#handler.goaway(frame.code, frame.afterMs, frame.message)
        break
      }
      case 'open': {
        if (!this.#numbers.isPeers(frame.stream) || this.#streams.has(frame.stream)) {
          this.#link.close(GOAWAY_CODES.PROTOCOL, `OPEN for stream ${frame.stream}`)
        } else if (this.#streams.size >= MAX_STREAMS) {
          this.#link.sendControl(
            encodeOpenErr(frame.stream, STREAM_CODES.LIMIT, `${MAX_STREAMS} streams are open`),
          )
        } else {
          this.#handler.open(this.#add({ ...frame, id: frame.stream }, frame.limit))
        }
        break
      }
      default: {
        const stream = this.#streams.get(frame.stream)
        if (stream) stream.receive(frame)
        // A stream that just ended here; an RST for one is not answered, or two ends could go on for ever.
        else if (frame.type === 'data' || frame.type === 'fin') {
          this.#link.sendControl(encodeRst(frame.stream, STREAM_CODES.STREAM_UNKNOWN))
        }
      }
    }
  }
}
