import type { Socket } from 'node:net'
import { giveBack, isPiece } from '../memory/pieces.ts'
import { SocketReads } from '../memory/socket-reads.ts'
import { decodeClose, encodeClose } from './frames/close-frame.ts'
import { encodeHeader, OPCODE } from './frames/frame-header.ts'
import { FrameReader } from './frames/frame-reader.ts'
import { randomKey } from './frames/mask-key.ts'
import { mask, maskedCopy } from './frames/mask.ts'
import { ProtocolError } from './frames/protocol-error.ts'
import type { Transport, TransportHandler, TransportOptions } from './transport.ts'

/** After how many ms the socket of a peer is destroyed that answers no close frame, or doesn't end it. */
const CLOSE_TIMEOUT_MS = 2000

/** How long a peer is silent before the kernel asks whether it is there, in ms. */
const KEEP_ALIVE_MS = 30_000

/** A frame with no more bytes than this is one chunk, which costs less than to write several. */
const SMALL_BYTES = 1024

const NOTHING: readonly Buffer[] = []

/** Binary messages over an upgraded socket: RFC 6455 without text and extensions. No payload is joined. */
export class WebSocketConnection implements Transport {
  readonly #socket: Socket
  readonly #isServer: boolean
  readonly #masks: boolean
  readonly #reader: FrameReader
  #reads: SocketReads | undefined
  #handler: TransportHandler | undefined
  #isOpen = true
  #isClosed = false
  /** Why the connection ended, as far as the peer or the socket told. */
  #reason: string | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether the kernel has yet to take a PONG: until then only the latest PING is remembered (§5.5.3). */
  #isPonging = false
  #latestPing: Buffer | undefined

  constructor(socket: Socket, options: TransportOptions) {
    this.#socket = socket
    this.#isServer = options.role === 'server'
    this.#masks = options.masks !== false
    this.#reader = new FrameReader(
      {
        message: (chunks, bytes) => {
          if (this.#isOpen) this.#handler?.message(chunks, bytes)
        },
        control: (opcode, payload) => this.#control(opcode, payload),
      },
      { masked: this.#isServer, maxMessageBytes: options.maxMessageBytes },
    )
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('error', (error) => this.#lose(error.message))
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler
    if (this.#isClosed) process.nextTick(() => this.#tellClosed())
    else {
      this.#reads = new SocketReads(this.#socket, this.#read)
      this.#reads.resume()
    }
  }

  get isOpen(): boolean {
    return this.#isOpen
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

  send(chunks: readonly Buffer[], bytes: number, written?: () => void): void {
    if (this.#isOpen) this.#write(OPCODE.BINARY, chunks, bytes, written)
    else if (written) process.nextTick(written)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** Hands nothing over of what was read, either. */
  pause(): void {
    this.#reader.pause()
    this.#reads?.pause()
  }

  resume(): void {
    this.#reader.resume()
    this.#reads?.resume()
  }

  /** Starts the closing handshake: §7.1.2. */
  close(code: number): void {
    if (this.#isOpen) this.#sayClose(encodeClose(code))
  }

  terminate(): void {
    this.#isOpen = false
    this.#reader.stop()
    this.#socket.destroy()
  }

  #write(opcode: number, chunks: readonly Buffer[], bytes: number, written?: () => void): void {
    const socket = this.#socket
    const key = this.#isServer ? undefined : this.#masks ? randomKey() : 0
    if (bytes <= SMALL_BYTES) {
      const frame = encodeHeader(opcode, bytes, key, bytes)
      const start = frame.length - bytes
      let at = start
      for (const chunk of chunks) at += chunk.copy(frame, at)
      if (key) mask(frame.subarray(start), key, 0)
      socket.write(frame, written)
      return
    }
    const header = encodeHeader(opcode, bytes, key)
    const last = chunks.length - 1
    const corks = socket.writableCorked === 0
    if (corks) socket.cork()
    socket.write(header)
    let offset = 0
    for (let i = 0; i <= last; i++) {
      const chunk = chunks[i]!
      const done = i === last ? written : undefined
      if (key) this.#writeMasked(chunk, key, offset, done)
      else socket.write(chunk, done)
      offset += chunk.length
    }
    if (corks) socket.uncork()
  }

  /** The chunk itself stays as it is: it may have to be sent again. */
  #writeMasked(chunk: Buffer, key: number, offset: number, written?: () => void): void {
    const copy = maskedCopy(chunk, key, offset)
    const done = () => {
      giveBack(copy)
      written?.()
    }
    this.#socket.write(copy, isPiece(copy) ? done : written)
  }

  readonly #read = (bytes: Buffer, isShared: boolean): void => {
    try {
      const taken = this.#reader.push(bytes, isShared)
      if (taken < bytes.length && !this.#isClosed) this.#reads!.putBack(bytes.subarray(taken))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#fail(error)
    }
  }

  #control(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.PING) {
      this.#handler?.pinged?.()
      this.#pong(Buffer.from(payload))
    } else if (opcode === OPCODE.CLOSE) this.#onCloseFrame(payload)
  }

  #pong(payload: Buffer): void {
    if (!this.#isOpen) return
    if (this.#isPonging) {
      this.#latestPing = payload
      return
    }
    this.#isPonging = true
    this.#write(OPCODE.PONG, payload.length > 0 ? [payload] : NOTHING, payload.length, this.#onPonged)
  }

  readonly #onPonged = (): void => {
    const ping = this.#latestPing
    this.#isPonging = false
    this.#latestPing = undefined
    if (ping) this.#pong(ping)
  }

  #onCloseFrame(payload: Buffer): void {
    const { code, reason } = decodeClose(payload)
    this.#reason ??= reason || (code === undefined ? 'closed without a code' : `closed with code ${code}`)
    this.#reader.stop()
    if (this.#isOpen) this.#sayClose(encodeClose(code))
    // The server goes first, so that the wait for late segments (TIME_WAIT) is not the client's (§7.1.1).
    if (this.#isServer) this.#socket.end()
  }

  /** Fails the connection: §7.1.7. */
  #fail(error: ProtocolError): void {
    this.#reason ??= error.message
    this.#reader.stop()
    if (this.#isOpen) this.#sayClose(encodeClose(error.code, error.message))
    this.#socket.end()
  }

  #sayClose(payload: Buffer): void {
    this.#isOpen = false
    this.#write(OPCODE.CLOSE, payload.length > 0 ? [payload] : NOTHING, payload.length)
    this.#timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS)
  }

  #lose(reason: string): void {
    this.#reason ??= reason
    this.terminate()
  }

  /** The peer ended the socket: as it should after a close frame, and what is written still goes out. */
  #onEnd(): void {
    if (this.#isOpen) this.#lose('closed without a close frame')
    else this.#socket.end()
  }

  #onClose(): void {
    this.#isOpen = false
    this.#isClosed = true
    this.#reader.stop()
    clearTimeout(this.#timer)
    this.#tellClosed()
  }

  #tellClosed(): void {
    this.#handler?.closed(this.#reason ?? 'closed')
  }
}
