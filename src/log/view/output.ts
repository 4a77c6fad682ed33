import { once } from 'node:events'

/** stdout, for output without an end: it waits for a slow reader, and knows when nobody reads any more. */
export class LogOutput {
  readonly #closed = new AbortController()
  readonly #onError = () => this.#closed.abort()

  constructor() {
    process.stdout.on('error', this.#onError)
  }

  /** Aborted once nobody reads any more. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** @param signal ends the wait for a slow reader, too */
  async print(lines: readonly string[], signal: AbortSignal = this.closed): Promise<void> {
    if (lines.length === 0 || this.closed.aborted) return
    if (process.stdout.write(`${lines.join('\n')}\n`)) return
    const stop = AbortSignal.any([signal, this.closed])
    await once(process.stdout, 'drain', { signal: stop }).catch((error: unknown) => {
      if (!stop.aborted) throw error
    })
  }

  release(): void {
    process.stdout.off('error', this.#onError)
  }
}
