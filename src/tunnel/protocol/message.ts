/** A frame as it is sent: one message of the WebSocket, in chunks that are never joined. */
export interface Message {
  readonly chunks: readonly Buffer[]
  /** Of all chunks together. */
  readonly bytes: number
  /** Called once the kernel has taken the message, or its link is lost; never if it was dropped before. */
  readonly sent?: (() => void) | undefined
}
