import type { TransportHandler } from '../../../src/websocket/transport.ts'

/** Keeps what a connection hands over. */
export class Recorder implements TransportHandler {
  readonly messages: Buffer[][] = []
  readonly reasons: string[] = []
  readonly #ended = Promise.withResolvers<string>()
  #waiting: { count: number; resolve: () => void } | undefined

  message(chunks: Buffer[], bytes: number): void {
    const sum = chunks.reduce((total, chunk) => total + chunk.length, 0)
    if (sum !== bytes) throw new Error(`${bytes} bytes were announced, and ${sum} came`)
    if (chunks.some((chunk) => chunk.length === 0)) throw new Error('an empty chunk')
    this.messages.push(chunks)
    if (this.#waiting?.count === this.messages.length) this.#waiting.resolve()
  }

  closed(reason: string): void {
    this.reasons.push(reason)
    this.#ended.resolve(reason)
  }

  /** @returns the reason, once the connection is closed */
  get ended(): Promise<string> {
    return this.#ended.promise
  }

  get joined(): Buffer[] {
    return this.messages.map((chunks) => Buffer.concat(chunks))
  }

  /** Until so many messages have come, counted from the first. */
  async come(count: number): Promise<Buffer[]> {
    if (this.messages.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting = { count, resolve }
      await promise
    }
    return this.joined
  }
}
