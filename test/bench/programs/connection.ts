import { connect, type Socket } from 'node:net'
import { encodeRequest, type Request } from './request.ts'

/** All connections of a process are read into one piece of memory: what costs is to be the tunnel. */
const buffer = Buffer.allocUnsafe(256 * 1024)

const nobody = (): void => {}

/** A connection of the client’s to the target. Who waits for it for too long is told so by the worker. */
export class Connection {
  readonly socket: Socket
  #take: (bytes: Buffer) => void = nobody
  #fail: (error: Error) => void = nobody

  private constructor(port: number) {
    const callback = (bytes: number) => {
      this.#take(buffer.subarray(0, bytes))
      return true
    }
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    this.socket.on('error', (error) => this.#fail(error))
    this.socket.on('close', () => this.#fail(new Error('it was closed')))
  }

  /**
   * Connects, and says what is wanted. What is written next goes out in the same segment.
   *
   * @throws Error if the connection ends instead
   */
  static async open(port: number, request: Request): Promise<Connection> {
    const connection = new Connection(port)
    const { socket } = connection
    await connection.#until((done) => socket.once('connect', () => done(undefined)))
    socket.cork()
    socket.write(encodeRequest(request))
    process.nextTick(() => socket.uncork())
    if (request.mode !== 'echo') await connection.next()
    return connection
  }

  /** What comes next. @throws Error if the connection ends instead */
  next(): Promise<Buffer> {
    return this.#until((done) => {
      this.#take = (bytes) => done(Buffer.from(bytes))
    })
  }

  /**
   * Hands over all that comes, in memory that is used again right after, until that is enough.
   *
   * @param take says whether it is
   * @throws Error if the connection ends before
   */
  receive(take: (bytes: Buffer) => boolean): Promise<void> {
    return this.#until((done) => {
      this.#take = (bytes) => {
        if (take(bytes)) done()
      }
    })
  }

  /** Some bytes there and back, one if it is not said which. @returns ms */
  async roundTrip(bytes = Buffer.of(0)): Promise<number> {
    const start = performance.now()
    this.socket.write(bytes)
    await this.next()
    return performance.now() - start
  }

  destroy(): void {
    this.socket.destroy()
  }

  async #until<T>(begin: (done: (value: T) => void) => void): Promise<T> {
    if (this.socket.destroyed) throw new Error('it was closed')
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#fail = reject
    begin(resolve)
    return promise
  }
}
