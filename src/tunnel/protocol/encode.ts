import {
  ANSWERED,
  BLOCKED,
  ENDED,
  HOPS,
  NAMED,
  POSITION_BYTES,
  STREAM_KEY_BYTES,
  TYPE,
  type Position,
} from './frames.ts'
import { HEADER_BYTES, MAX_CTRL_BYTES, MAX_TEXT_BYTES } from './limits.ts'

function header(type: number, stream: number, payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes)
  frame[0] = type
  frame[1] = 0
  frame.writeUInt32BE(stream, 2)
  return frame
}

/** What OPEN and RESUME tell of a stream but its service. */
export interface Origin {
  /**
   * The agent that opens the stream, filled in by the hub; empty on the way to the hub, or with `named` the
   * one agent that may accept the stream. Default: empty.
   */
  readonly from?: string
  /** How many streams the connection has come through before; counted up to 15. Default: 0. */
  readonly hops?: number
  /** Default: false. */
  readonly named?: boolean | undefined
}

/** @throws RangeError if a name is too long */
export function encodeOpen(
  stream: number,
  key: Buffer,
  limit: number,
  service: string,
  { from = '', hops = 0, named = false }: Origin = {},
): Buffer {
  const names = encodeNames(service, from)
  const frame = header(TYPE.OPEN, stream, STREAM_KEY_BYTES + 8 + names.length)
  frame[1] = Math.min(hops, HOPS) | (named ? NAMED : 0)
  let at = HEADER_BYTES
  at += key.copy(frame, at, 0, STREAM_KEY_BYTES)
  at = writeOffset(frame, limit, at)
  names.copy(frame, at)
  return frame
}

export function encodeOpenOk(stream: number, limit: number): Buffer {
  const frame = header(TYPE.OPEN_OK, stream, 8)
  writeOffset(frame, limit, HEADER_BYTES)
  return frame
}

export function encodeOpenErr(stream: number, code: number, message: string): Buffer {
  return withCodeAndText(TYPE.OPEN_ERR, stream, code, message)
}

/**
 * What comes before the payload of a DATA: the payload itself is sent as it lies, and not copied.
 *
 * @param blocked the sender has more, and its limit keeps it from sending that
 */
export function encodeDataHeader(stream: number, blocked = false): Buffer {
  const frame = header(TYPE.DATA, stream, 0)
  if (blocked) frame[1] = BLOCKED
  return frame
}

export function encodeWindow(stream: number, consumed: number, limit: number): Buffer {
  const frame = header(TYPE.WINDOW, stream, 16)
  writeOffset(frame, limit, writeOffset(frame, consumed, HEADER_BYTES))
  return frame
}

/** @param offset how many bytes this direction had in all, so that nothing cut short looks complete */
export function encodeFin(stream: number, offset: number): Buffer {
  const frame = header(TYPE.FIN, stream, 8)
  writeOffset(frame, offset, HEADER_BYTES)
  return frame
}

export function encodeRst(stream: number, code: number, message = ''): Buffer {
  return withCodeAndText(TYPE.RST, stream, code, message)
}

/**
 * @param origin as in the OPEN, for a hub that has not seen that: whoever has accepted the stream names who
 * has opened it
 * @throws RangeError if a name is too long
 */
export function encodeResume(
  stream: number,
  key: Buffer,
  position: Position,
  service: string,
  origin: Origin = {},
): Buffer {
  const { from = '', hops = 0, named = false } = origin
  const names = encodeNames(service, from)
  const frame = header(TYPE.RESUME, stream, STREAM_KEY_BYTES + POSITION_BYTES + names.length)
  frame[1] = Math.min(hops, HOPS) | (named ? NAMED : 0)
  key.copy(frame, HEADER_BYTES, 0, STREAM_KEY_BYTES)
  names.copy(frame, writePosition(frame, position, HEADER_BYTES + STREAM_KEY_BYTES))
  return frame
}

export function encodeResumed(stream: number, position: Position): Buffer {
  const frame = header(TYPE.RESUMED, stream, POSITION_BYTES)
  writePosition(frame, position, HEADER_BYTES)
  return frame
}

export function encodePing(token: bigint): Buffer {
  return withToken(TYPE.PING, token)
}

export function encodePong(token: bigint): Buffer {
  return withToken(TYPE.PONG, token)
}

/** @param afterMs how long to stay away, at least */
export function encodeGoaway(code: number, afterMs: number, message: string): Buffer {
  const text = shortened(message)
  const frame = header(TYPE.GOAWAY, 0, 6 + text.length)
  frame.writeUInt16BE(code, HEADER_BYTES)
  frame.writeUInt32BE(afterMs, HEADER_BYTES + 2)
  text.copy(frame, HEADER_BYTES + 6)
  return frame
}

/** @throws RangeError if the message is larger than a peer may accept */
export function encodeCtrl(message: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(message))
  if (text.length > MAX_CTRL_BYTES)
    throw new RangeError(`a control message of ${text.length} bytes is too large`)
  const frame = header(TYPE.CTRL, 0, text.length)
  text.copy(frame, HEADER_BYTES)
  return frame
}

/** Gives a frame of a stream another stream number, in place: how the hub passes a frame on. */
export function renumber(frame: Buffer, stream: number): Buffer {
  frame.writeUInt32BE(stream, 2)
  return frame
}

function withCodeAndText(type: number, stream: number, code: number, message: string): Buffer {
  const bytes = shortened(message)
  const frame = header(type, stream, 2 + bytes.length)
  frame.writeUInt16BE(code, HEADER_BYTES)
  bytes.copy(frame, HEADER_BYTES + 2)
  return frame
}

function withToken(type: number, token: bigint): Buffer {
  const frame = header(type, 0, 8)
  frame.writeBigUInt64BE(token, HEADER_BYTES)
  return frame
}

function encodeNames(...names: string[]): Buffer {
  const lengths = names.map((name) => Buffer.byteLength(name))
  if (lengths.some((length) => length > 255)) throw new RangeError('a name of more than 255 bytes')
  const encoded = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 1 + length, 0))
  let at = 0
  for (const [index, name] of names.entries()) {
    encoded[at++] = lengths[index]!
    at += encoded.write(name, at)
  }
  return encoded
}

function writePosition(frame: Buffer, position: Position, at: number): number {
  for (const offset of [position.received, position.consumed, position.limit])
    at = writeOffset(frame, offset, at)
  frame[at] = (position.ended ? ENDED : 0) | (position.answered ? ANSWERED : 0)
  return at + 1
}

/** Offsets are u64 on the wire and numbers here: 2^53 bytes are 8 PiB on one stream. */
function writeOffset(frame: Buffer, offset: number, at: number): number {
  frame.writeUInt32BE(Math.floor(offset / 2 ** 32), at)
  return frame.writeUInt32BE(offset % 2 ** 32, at + 4)
}

function shortened(message: string): Buffer {
  const bytes = Buffer.from(message)
  if (bytes.length <= MAX_TEXT_BYTES) return bytes
  let end = MAX_TEXT_BYTES
  // Not in the middle of a character: its later bytes are 10xxxxxx.
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
