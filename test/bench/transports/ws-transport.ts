import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Transport, TransportHandler, TransportOver } from '../../../src/websocket/transport.ts'

/** A message up to here is joined and sent as one: to copy it costs less than a fragment more. */
const SMALL_BYTES = 1024

/** Chunks of a message that go out as fragments of their own; beyond these they are joined first. */
const MAX_CHUNKS = 16

/**
 * A chunk is cut into fragments of this size: ws joins each that straddles two reads, which are of 64 KiB at
 * most.
 */
const FRAGMENT_BYTES = 32 * 1024

/** When the kernel asks a peer that is silent whether it is there, in ms. */
const KEEP_ALIVE_MS = 30_000

/** RFC 6455 §7.4.1. */
const UNSUPPORTED = 1003
const NO_CODE = 1005
const NO_CLOSE_FRAME = 1006

const MORE = { fin: false, compress: false } as const
const LAST = { fin: true, compress: false } as const

/** Lets ws carry the messages. Their chunks are fragments, so that neither end has to join them. */
export const wsTransport: TransportOver = (ws, socket) => new WsTransport(ws, socket)

class WsTransport implements Transport {
  readonly #ws: WebSocket
  readonly #socket: Socket
  #handler: TransportHandler | undefined
  /** Why it ended, as far as the peer, ws or the socket told. */
  #reason: string | undefined
  #isClosed = false

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws
    this.#socket = socket
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    ws.binaryType = 'fragments'
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer[], isBinary))
    ws.on('ping', () => this.#handler?.pinged?.())
    ws.on('error', (error) => this.#note(error.message))
    ws.on('close', (code, text) => this.#onClose(code, text.toString()))
    // Those of the socket ws keeps to itself.
    socket.on('error', (error) => this.#note(error.message))
    ws.pause()
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  get unwrittenBytes(): number {
    return this.#socket.writableLength
  }

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler
    if (this.#isClosed) process.nextTick(() => this.#tellClosed())
    else this.#ws.resume()
  }

  send(chunks: readonly Buffer[], bytes: number, written?: () => void): void {
    if (!this.isOpen) {
      if (written) process.nextTick(written)
      return
    }
    if (bytes <= SMALL_BYTES || chunks.length > MAX_CHUNKS)
      return this.#ws.send(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes), LAST, written)
    this.#socket.cork()
    let left = bytes
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += FRAGMENT_BYTES) {
        const fragment = chunk.length <= FRAGMENT_BYTES ? chunk : chunk.subarray(at, at + FRAGMENT_BYTES)
        left -= fragment.length
        if (left > 0) this.#ws.send(fragment, MORE)
        else this.#ws.send(fragment, LAST, written)
      }
    }
    this.#socket.uncork()
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** What is left of a read is handed over all the same. */
  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  close(code: number): void {
    if (this.isOpen) this.#ws.close(code)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  #onMessage(chunks: Buffer[], isBinary: boolean): void {
    // Of one that closes, ws goes on to read.
    if (!this.isOpen) return
    if (!isBinary) {
      this.#note('a text message')
      return this.#ws.close(UNSUPPORTED, 'a text message')
    }
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.length
    this.#handler?.message(chunks, bytes)
  }

  #note(reason: string): void {
    this.#reason ??= reason
  }

  #onClose(code: number, text: string): void {
    this.#isClosed = true
    if (code === NO_CODE) this.#note('closed without a code')
    else if (code === NO_CLOSE_FRAME)
      this.#note(this.#socket.readableEnded ? 'closed without a close frame' : 'closed')
    // It is shown to people and written to logs.
    else this.#note(text.replaceAll(/\p{Cc}/gu, ' ').trim() || `closed with code ${code}`)
    this.#tellClosed()
  }

  #tellClosed(): void {
    this.#handler?.closed(this.#reason!)
  }
}
