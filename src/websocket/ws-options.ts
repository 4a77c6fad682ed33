/** What ws is told in each handshake. The limits count where it carries the messages too, as in the bench. */
export const WS_OPTIONS = {
  /** Compression costs more than it saves: what is worth it comes here compressed, or encrypted. */
  perMessageDeflate: false,
  /** Intermediaries may cut a message up (RFC 6455 §5.4), but none has a reason to cut it finer. */
  maxFragments: 64,
  /** Chunks that a fragment may come in: no network cuts it finer, and so many take little memory. */
  maxBufferedChunks: 1024,
  /** Pings whose answers the peer does not read; beyond them it is dropped. */
  maxPendingAutoPongs: 64,
  /** How long the peer has to answer a close frame, and to end the socket, in ms. */
  closeTimeout: 2000,
}
