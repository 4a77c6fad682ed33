import { HEADER_BYTES, MAX_CONTROL_BYTES, MAX_DATA_BYTES, MAX_TEXT_BYTES, MAX_WINDOW } from './limits.ts'

/** Frame types. One with the high bit set may be skipped by whoever doesn't know it. */
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
  /** Kept for streams that outlive their link. */
  RESUME: 0x0b,
  RESUMED: 0x0c,
  CTRL: 0x0d,
} as const

export const SKIPPABLE = 0x80

/** Bytes of the random key that names a stream beyond its link. */
export const STREAM_KEY_BYTES = 16

/** A frame, parsed. Offsets and limits count bytes of one direction of a stream from its beginning. */
export type Frame =
  | { type: 'open'; stream: number; key: Buffer; limit: number; service: string; from: string }
  | { type: 'openOk'; stream: number; limit: number }
  | { type: 'openErr'; stream: number; code: number; message: string }
  | { type: 'data'; stream: number; payload: Buffer }
  | { type: 'window'; stream: number; consumed: number; limit: number }
  | { type: 'fin'; stream: number; offset: number }
  | { type: 'rst'; stream: number; code: number; message: string }
  | { type: 'ping'; token: bigint }
  | { type: 'pong'; token: bigint }
  | { type: 'goaway'; code: number; afterMs: number; message: string }
  | { type: 'ctrl'; message: unknown }
  | { type: 'skipped' }

/** The peer sent bytes that are not this protocol; its link ends. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

function header(type: number, stream: number, payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes)
  frame[0] = type
  frame[1] = 0
  frame.writeUInt32BE(stream, 2)
  return frame
}

/**
 * @param from the agent that opens the stream, filled in by the hub; empty on the way to it
 * @throws RangeError if a name is too long
 */
export function encodeOpen(stream: number, key: Buffer, limit: number, service: string, from = ''): Buffer {
  const names = [Buffer.from(service), Buffer.from(from)]
  if (names.some((name) => name.length > 255)) throw new RangeError('a name of more than 255 bytes')
  const frame = header(TYPE.OPEN, stream, STREAM_KEY_BYTES + 8 + 2 + names[0]!.length + names[1]!.length)
  let at = HEADER_BYTES
  at += key.copy(frame, at, 0, STREAM_KEY_BYTES)
  at = writeOffset(frame, limit, at)
  for (const name of names) {
    frame[at] = name.length
    at += 1 + name.copy(frame, at + 1)
  }
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

export function encodeData(stream: number, payload: Uint8Array): Buffer {
  const frame = header(TYPE.DATA, stream, payload.length)
  frame.set(payload, HEADER_BYTES)
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
  if (text.length > MAX_CONTROL_BYTES)
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

/**
 * Parses one frame. Payloads are views of it, not copies.
 *
 * @throws FrameError if it is none
 */
export function decode(frame: Buffer): Frame {
  if (frame.length < HEADER_BYTES) throw new FrameError(`a frame of ${frame.length} bytes has no header`)
  const type = frame[0]!
  const stream = frame.readUInt32BE(2)
  const payload = frame.subarray(HEADER_BYTES)
  switch (type) {
    case TYPE.OPEN: {
      return decodeOpen(ofStream(stream), payload)
    }
    case TYPE.OPEN_OK: {
      return {
        type: 'openOk',
        stream: ofStream(stream),
        limit: window(0, readOffset(exactly(payload, 8), 0)),
      }
    }
    case TYPE.OPEN_ERR: {
      return { type: 'openErr', stream: ofStream(stream), ...codeAndText(payload) }
    }
    case TYPE.DATA: {
      // Empty ones would cost the sender no window, and the receiver a place in a queue.
      if (payload.length === 0 || payload.length > MAX_DATA_BYTES)
        throw new FrameError(`DATA of ${payload.length} bytes`)
      return { type: 'data', stream: ofStream(stream), payload }
    }
    case TYPE.WINDOW: {
      const [consumed, limit] = [readOffset(exactly(payload, 16), 0), readOffset(payload, 8)]
      return { type: 'window', stream: ofStream(stream), consumed, limit: window(consumed, limit) }
    }
    case TYPE.FIN: {
      return { type: 'fin', stream: ofStream(stream), offset: readOffset(exactly(payload, 8), 0) }
    }
    case TYPE.RST: {
      return { type: 'rst', stream: ofStream(stream), ...codeAndText(payload) }
    }
    case TYPE.PING: {
      return { type: 'ping', token: exactly(payload, 8).readBigUInt64BE(0) }
    }
    case TYPE.PONG: {
      return { type: 'pong', token: exactly(payload, 8).readBigUInt64BE(0) }
    }
    case TYPE.GOAWAY: {
      const [code, afterMs] = [atLeast(payload, 6).readUInt16BE(0), payload.readUInt32BE(2)]
      return { type: 'goaway', code, afterMs, message: text(payload.subarray(6)) }
    }
    case TYPE.CTRL: {
      return { type: 'ctrl', message: json(payload) }
    }
    default: {
      if ((type & SKIPPABLE) !== 0) return { type: 'skipped' }
      throw new FrameError(`unknown frame type 0x${type.toString(16).padStart(2, '0')}`)
    }
  }
}

function decodeOpen(stream: number, payload: Buffer): Frame {
  atLeast(payload, STREAM_KEY_BYTES + 8 + 2)
  const key = Buffer.from(payload.subarray(0, STREAM_KEY_BYTES))
  const limit = window(0, readOffset(payload, STREAM_KEY_BYTES))
  const [service, afterService] = name(payload, STREAM_KEY_BYTES + 8)
  const [from, end] = name(payload, afterService)
  if (end !== payload.length) throw new FrameError('OPEN with bytes left over')
  return { type: 'open', stream, key, limit, service, from }
}

function name(payload: Buffer, at: number): [name: string, end: number] {
  const length = atLeast(payload, at + 1)[at]!
  const end = at + 1 + length
  return [atLeast(payload, end).toString('utf8', at + 1, end), end]
}

/** @returns the limit, if it is one that may be given */
function window(consumed: number, limit: number): number {
  if (limit < consumed) throw new FrameError('a window that ends before it begins')
  if (limit - consumed > MAX_WINDOW) throw new FrameError(`a window of ${limit - consumed} bytes`)
  return limit
}

/** Stream 0 is the link itself and carries no bytes. */
function ofStream(stream: number): number {
  if (stream === 0) throw new FrameError('a stream frame for stream 0')
  return stream
}

function exactly(payload: Buffer, bytes: number): Buffer {
  if (payload.length !== bytes) throw new FrameError(`a payload of ${payload.length} bytes, not ${bytes}`)
  return payload
}

function atLeast(payload: Buffer, bytes: number): Buffer {
  if (payload.length < bytes)
    throw new FrameError(`a payload of ${payload.length} bytes, not ${bytes} or more`)
  return payload
}

function withCodeAndText(type: number, stream: number, code: number, message: string): Buffer {
  const bytes = shortened(message)
  const frame = header(type, stream, 2 + bytes.length)
  frame.writeUInt16BE(code, HEADER_BYTES)
  bytes.copy(frame, HEADER_BYTES + 2)
  return frame
}

function codeAndText(payload: Buffer): { code: number; message: string } {
  return { code: atLeast(payload, 2).readUInt16BE(0), message: text(payload.subarray(2)) }
}

function withToken(type: number, token: bigint): Buffer {
  const frame = header(type, 0, 8)
  frame.writeBigUInt64BE(token, HEADER_BYTES)
  return frame
}

/** Offsets are u64 on the wire and numbers here: 2^53 bytes are 8 PiB on one stream. */
function writeOffset(frame: Buffer, offset: number, at: number): number {
  frame.writeUInt32BE(Math.floor(offset / 2 ** 32), at)
  return frame.writeUInt32BE(offset % 2 ** 32, at + 4)
}

function readOffset(payload: Buffer, at: number): number {
  const offset = payload.readUInt32BE(at) * 2 ** 32 + payload.readUInt32BE(at + 4)
  if (offset > Number.MAX_SAFE_INTEGER) throw new FrameError('an offset beyond 2^53')
  return offset
}

function shortened(message: string): Buffer {
  const bytes = Buffer.from(message)
  if (bytes.length <= MAX_TEXT_BYTES) return bytes
  let end = MAX_TEXT_BYTES
  // Not in the middle of a character: its later bytes are 10xxxxxx.
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

/** Text from the network is shown to people and written to logs: one short line, no control characters. */
function text(bytes: Buffer): string {
  if (bytes.length > MAX_TEXT_BYTES) throw new FrameError(`a text of ${bytes.length} bytes`)
  return bytes
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
}

function json(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    throw new FrameError('a control message that is not JSON')
  }
}
