/** A frame as it is sent: one message of the WebSocket, in chunks that are never joined. */
export interface Message {
  readonly chunks: readonly Buffer[]
  /** Of all chunks together. */
  readonly bytes: number
}
