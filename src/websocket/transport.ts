import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

export interface TransportHandler {
  /**
   * A whole message in the chunks that it came in, none of them empty (an empty message has no chunks). The
   * chunks are the receiver's own, to keep and to change.
   *
   * @param bytes of all chunks together
   */
  message(chunks: Buffer[], bytes: number): void
  /** The peer has sent a PING of WebSocket, which the transport itself answers. */
  pinged?(): void
  /**
   * Called once, when the connection is closed, and never from within a call to it.
   *
   * @param reason one short line: what the close frame said, the breach of protocol, or the socket's error
   */
  closed(reason: string): void
}

/** A connection that carries messages, each whole and in order: what a link needs of a WebSocket. */
export interface Transport {
  readonly isOpen: boolean
  /** Bytes that were sent, and wait for the kernel to take them. */
  readonly unwrittenBytes: number
  /** All bytes that have come. */
  readonly bytesRead: number
  /** All bytes that were sent. */
  readonly bytesWritten: number

  /** Begins to read: nothing is read before. Messages are handed over after this has returned. */
  attach(handler: TransportHandler): void

  /**
   * Sends one message. The chunks must not be changed afterwards.
   *
   * @param bytes of all chunks together
   * @param written called when the kernel has taken the message, or the message was lost
   */
  send(chunks: readonly Buffer[], bytes: number, written?: () => void): void

  /** What is sent from here to `uncork` goes out together. */
  cork(): void
  uncork(): void

  /** Reads nothing more until `resume`; what was read already may still be handed over. */
  pause(): void
  resume(): void

  /** Sends a close frame, after which nothing is sent or handed over. @param code RFC 6455 §7.4 */
  close(code: number): void

  /** Drops the connection at once. */
  terminate(): void
}

export interface TransportOptions {
  readonly role: 'client' | 'server'
  /** Clients only: whether mask keys are unpredictable (RFC 6455 §5.3), or all zeros. Default true. */
  readonly masks?: boolean
  /** Bytes of the largest message that is taken in. */
  readonly maxMessageBytes: number
}

/**
 * Makes a transport of a WebSocket. To be called when ws says 'open', which it does right after it has begun
 * to listen to the socket.
 *
 * @param socket what the WebSocket was made on
 */
export type TransportOver = (ws: WebSocket, socket: Socket, options: TransportOptions) => Transport
