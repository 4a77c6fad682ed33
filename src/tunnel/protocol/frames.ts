/** Frame types. A type with the high bit set may be skipped by whoever doesn't know it. */
export const TYPE = {
  OPEN: 0x01,
  OPEN_OK: 0x02,
  OPEN_ERR: 0x03,
  DATA: 0x04,
  WINDOW: 0x05,
  FIN: 0x06,
  RST: 0x07,
  PING: 0x08,
  PONG: 0x09,
  GOAWAY: 0x0a,
  RESUME: 0x0b,
  RESUMED: 0x0c,
  CTRL: 0x0d,
} as const

export const SKIPPABLE = 0x80

/** Bytes of the random key that names a stream beyond its link. */
export const STREAM_KEY_BYTES = 16

/**
 * How far one end of a stream has come with what it receives, and whether the stream was accepted: from this
 * the other end knows what to send again after a link was lost.
 */
export interface Position {
  /** Bytes that have come in, in order. */
  readonly received: number
  /** As in WINDOW. */
  readonly consumed: number
  readonly limit: number
  /** The FIN has come in, too. */
  readonly ended: boolean
  /** The stream was accepted, as far as this end knows. */
  readonly answered: boolean
}

/** Flag of DATA: the sender has more, and its limit keeps it from sending that. */
export const BLOCKED = 0x01

/** Flags of OPEN and RESUME: the low four bits say how many streams the connection has come through. */
export const HOPS = 0x0f

/** Flag of OPEN and RESUME to a hub: the id is that of the agent which alone may accept the stream. */
export const NAMED = 0x20

/** Bytes of a position on the wire: three offsets, and a byte of bits. */
export const POSITION_BYTES = 25

export const ENDED = 0x01
export const ANSWERED = 0x02

/** A frame, parsed. Offsets and limits count bytes of one direction of a stream from its beginning. */
export type Frame =
  | {
      type: 'open'
      stream: number
      key: Buffer
      limit: number
      service: string
      from: string
      hops: number
      named?: true
    }
  | { type: 'openOk'; stream: number; limit: number }
  | { type: 'openErr'; stream: number; code: number; message: string }
  | { type: 'data'; stream: number; payload: Buffer[]; bytes: number; blocked?: true }
  | { type: 'window'; stream: number; consumed: number; limit: number }
  | { type: 'fin'; stream: number; offset: number }
  | { type: 'rst'; stream: number; code: number; message: string }
  | {
      type: 'resume'
      stream: number
      key: Buffer
      position: Position
      service: string
      from: string
      hops: number
      named?: true
    }
  | { type: 'resumed'; stream: number; position: Position }
  | { type: 'ping'; token: bigint }
  | { type: 'pong'; token: bigint }
  | { type: 'goaway'; code: number; afterMs: number; message: string }
  | { type: 'ctrl'; message: unknown }
  | { type: 'skipped' }

/** The peer sent bytes that are not this protocol; its link ends. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}
