import type { Refusal } from '../../tunnel/protocol/handshake.ts'

/** The hub's "no", in its own words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly reason: Refusal['error']
  /** In how many seconds another try may be worth it. */
  readonly retryAfter: number | undefined
  /** The nonce to sign in place of the one that was signed. */
  readonly nonce: string | undefined
  /** Of the join token that was refused, if it is one that the hub has made. */
  readonly tokenState: string | undefined

  constructor(
    status: number,
    reason: Refusal['error'],
    message: string,
    more: { retryAfter?: number; nonce?: string; tokenState?: string } = {},
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfter = more.retryAfter
    this.nonce = more.nonce
    this.tokenState = more.tokenState
  }
}
