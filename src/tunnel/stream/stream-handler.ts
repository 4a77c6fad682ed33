/** What the local end of a stream hears of it. */
export interface StreamHandler {
  /** The far end has accepted; only the opener hears it. */
  opened?(): void
  /** Bytes have come; say `stream.consumed()` once they were handed on. */
  data(chunk: Buffer): void
  /** The far end has sent all it had. */
  end(): void
  /** `write` may be called again. */
  drain(): void
  /** The stream was reset: nothing more comes, and what was sent may not have arrived. Never after `done`. */
  reset(code: number, message: string): void
  /** Both directions came to their end, complete. */
  done?(): void
}
