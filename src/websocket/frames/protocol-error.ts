/** What a peer did that RFC 6455 or our limits forbid. Its message is one short line. */
export class ProtocolError extends Error {
  readonly code: number

  /** @param code of the close frame that answers it */
  constructor(code: number, message: string) {
    super(message)
    this.name = 'ProtocolError'
    this.code = code
  }
}
