import { Socket, type SocketConstructorOpts } from 'node:net'

/** Bytes that Node.js reads at once: whoever has so many has more. */
const FULL_READ_BYTES = 64 * 1024

/** Where sockets in bulk are read to, one after the other. */
let memory: Buffer | undefined
const MEMORY_BYTES = 256 * 1024

type Handle = NonNullable<SocketConstructorOpts['handle']> & { readonly useUserBuffer?: unknown }

interface Internals {
  _handle: Handle | null
  readonly encrypted?: true
}

/**
 * What comes from a socket. As long as little comes, that is what Node.js hands over. Bulk is read into
 * memory that all sockets share: new memory for each 64 KiB has V8 search its heap for garbage all the time,
 * and larger reads are fewer.
 */
export class SocketReads {
  readonly #socket: Socket
  readonly #take: (bytes: Buffer, isShared: boolean) => void
  readonly #atMost: number
  /** Reads what comes in bulk. */
  #reader: Socket | undefined
  /** What was put back, and is taken before all that is read. */
  #rest: Buffer | undefined
  #isPaused = false

  /**
   * @param take is given what was read; if it is shared, it is overwritten after that
   * @param atMost bytes of one read; default, and most, 256 KiB
   */
  constructor(
    socket: Socket,
    take: (bytes: Buffer, isShared: boolean) => void,
    atMost: number = MEMORY_BYTES,
  ) {
    this.#socket = socket
    this.#take = take
    this.#atMost = atMost
    socket.on('data', this.#onData)
  }

  /** Has nothing more taken until `resume`. */
  pause(): void {
    this.#isPaused = true
    const source = this.#reader ?? this.#socket
    source.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#rest) process.nextTick(this.#takeRest)
    else if (this.#reader) this.#reader.resume()
    else this.#socket.resume()
  }

  /** To be called in a pause: has the last bytes of what was taken last taken again, once it is over. */
  putBack(bytes: Buffer): void {
    // Once it is out of the memory that is shared it stays where it is, however often it is put back.
    if (this.#reader) this.#rest = bytes.buffer === memory?.buffer ? Buffer.from(bytes) : bytes
    else this.#socket.unshift(bytes)
  }

  /** The pause may have begun anew meanwhile. */
  readonly #takeRest = (): void => {
    const rest = this.#rest
    if (!rest || this.#isPaused) return
    this.#rest = undefined
    this.#take(rest, false)
    if (!this.#isPaused) this.#reader!.resume()
  }

  readonly #onData = (bytes: Buffer): void => {
    if (bytes.length >= FULL_READ_BYTES) this.#share()
    this.#take(bytes, false)
  }

  /** Node.js lets only who connects choose where to read to, by `onread`: so a new socket gets the handle. */
  #share(): void {
    const socket = this.#socket
    const internals = socket as unknown as Internals
    const { _handle: handle, encrypted } = internals
    if (encrypted || !handle?.useUserBuffer || socket.readableLength > 0) return
    memory ??= Buffer.allocUnsafeSlow(MEMORY_BYTES)
    const callback = (bytes: number, buffer: Uint8Array) => {
      this.#take((buffer as Buffer).subarray(0, bytes), true)
      return true
    }
    const onread = { buffer: memory.subarray(0, this.#atMost), callback }
    const reader = new Socket({ handle, allowHalfOpen: true, onread })
    // What is written, and the handle itself, remain with the socket; it must not have the handle read.
    socket._read = () => {}
    const detach = (owner: Socket) => {
      ;(owner as unknown as Internals)._handle = null
    }
    reader.on('end', () => {
      socket.push(null)
      socket.read(0)
    })
    reader.on('error', (error) => {
      detach(socket)
      socket.destroy(error)
    })
    socket.once('close', () => {
      detach(reader)
      reader.destroy()
    })
    socket.pause()
    this.#reader = reader
    reader.resume()
  }
}
