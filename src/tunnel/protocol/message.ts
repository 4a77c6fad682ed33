/** A frame as it is sent: one message of the WebSocket, in chunks that are never joined. */
export interface Message {
  readonly chunks: readonly Buffer[]
  /** In all chunks. */
  readonly bytes: number
}
