/** A frame as it is sent: one message of the WebSocket, in pieces that are never joined. */
export interface Message {
  readonly pieces: readonly Buffer[]
  /** In all pieces. */
  readonly bytes: number
}
