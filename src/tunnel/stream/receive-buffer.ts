/** How many chunks become one. */
const MERGE = 64

/** What has come before anyone listened: no more than a window. */
export class ReceiveBuffer {
  #chunks: Buffer[] = []
  /** How many of these, at the end, have not been merged. */
  #single = 0

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    // Of single bytes a window has so many that keeping each by itself would cost a hundred times their size.
    if (++this.#single < MERGE) return
    this.#single = 0
    this.#chunks.push(Buffer.concat(this.#chunks.splice(-MERGE)))
  }

  /** Hands them over, and keeps none. */
  take(): Buffer[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#single = 0
    return chunks
  }
}
