import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

export interface TransportHandler {
  /**
   * A whole message in the chunks that it came in, none of them empty (an empty message has no chunks). They are the
   * receiver's own: it may keep and change them.
   */
  message(chunks: Buffer[], bytes: number): void
  /** The peer has asked for a sign of life below the messages; it is answered here. */
  pinged?(): void
  /**
   * Called once, when the connection is closed, and never from within a call to it.
   *
   * @param reason what the peer's farewell said, or the breach of protocol, or the socket's error: one short line
   */
  closed(reason: string): void
}

/** A connection that carries messages, each whole and in order: what a link needs of a WebSocket. */
export interface Transport {
  readonly isOpen: boolean
  /** Bytes that were sent, and wait for the kernel to take them. */
  readonly unwrittenBytes: number
  /** Bytes that have come and gone in all. */
  readonly bytesRead: number
  readonly bytesWritten: number

  /** Nothing is read before. Messages are handed over after this has returned. */
  attach(handler: TransportHandler): void

  /**
   * Sends one message. The chunks must not be changed afterwards.
   *
   * @param bytes of all chunks
   * @param written called when the kernel took it, or it was lost
   */
  send(chunks: readonly Buffer[], bytes: number, written?: () => void): void

  /** What is sent from here to `uncork` goes out together. */
  cork(): void
  uncork(): void

  /** Reads nothing more until `resume`; what was read already may still be handed over. */
  pause(): void
  resume(): void

  /** Says goodbye, after which nothing is sent, and no message handed over. @param code RFC 6455 §7.4 */
  close(code: number): void

  /** Drops the connection at once. */
  terminate(): void
}

export interface TransportOptions {
  readonly role: 'client' | 'server'
  /** Clients only: RFC 6455 §5.3 masks with unpredictable keys; false sends an all-zero key, which changes nothing. Default true. */
  readonly masks?: boolean
  /** Bytes of the largest message that is taken in. */
  readonly maxMessageBytes: number
}

/**
 * Makes a transport of a WebSocket. To be called when ws says 'open', which it does right after it has begun to listen.
 *
 * @param socket below it
 */
export type TransportOver = (ws: WebSocket, socket: Socket, options: TransportOptions) => Transport
