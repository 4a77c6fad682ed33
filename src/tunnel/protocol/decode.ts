import {
  ANSWERED,
  BLOCKED,
  ENDED,
  FrameError,
  HOPS,
  NAMED,
  POSITION_BYTES,
  SKIPPABLE,
  STREAM_KEY_BYTES,
  TYPE,
  type Frame,
  type Position,
} from './frames.ts'
import { HEADER_BYTES, MAX_DATA_BYTES, MAX_TEXT_BYTES } from './limits.ts'
import { MAX_WINDOW } from './window-size.ts'

/**
 * Parses one frame. Payloads are views of its bytes, not copies.
 *
 * @param rest of DATA, further chunks of the payload
 * @throws FrameError if the bytes are none
 */
export function decode(frame: Buffer, rest: readonly Buffer[] = []): Frame {
  if (frame.length < HEADER_BYTES) throw new FrameError(`a frame of ${frame.length} bytes has no header`)
  const type = frame[0]!
  const stream = frame.readUInt32BE(2)
  const payload = frame.subarray(HEADER_BYTES)
  switch (type) {
    case TYPE.OPEN: {
      return decodeOpen(ofStream(stream), payload, frame[1]!)
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
      const chunks = payload.length > 0 ? [payload, ...rest] : [...rest]
      let bytes = 0
      for (const chunk of chunks) bytes += chunk.length
      // An empty DATA would cost the sender no window, and the receiver a place in a queue.
      if (bytes === 0 || bytes > MAX_DATA_BYTES) throw new FrameError(`DATA of ${bytes} bytes`)
      const data: Frame = { type: 'data', stream: ofStream(stream), payload: chunks, bytes }
      if ((frame[1]! & BLOCKED) !== 0) data.blocked = true
      return data
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
    case TYPE.RESUME: {
      return decodeResume(ofStream(stream), payload, frame[1]!)
    }
    case TYPE.RESUMED: {
      return {
        type: 'resumed',
        stream: ofStream(stream),
        position: readPosition(exactly(payload, POSITION_BYTES), 0),
      }
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

function decodeOpen(stream: number, payload: Buffer, flags: number): Frame {
  atLeast(payload, STREAM_KEY_BYTES + 8 + 2)
  const key = Buffer.from(payload.subarray(0, STREAM_KEY_BYTES))
  const limit = window(0, readOffset(payload, STREAM_KEY_BYTES))
  const [service, afterService] = name(payload, STREAM_KEY_BYTES + 8)
  const [from, end] = name(payload, afterService)
  if (end !== payload.length) throw new FrameError('OPEN with bytes left over')
  return { type: 'open', stream, key, limit, service, from, ...hopsAndNamed(flags) }
}

function decodeResume(stream: number, payload: Buffer, flags: number): Frame {
  atLeast(payload, STREAM_KEY_BYTES + POSITION_BYTES + 2)
  const key = Buffer.from(payload.subarray(0, STREAM_KEY_BYTES))
  const position = readPosition(payload, STREAM_KEY_BYTES)
  const [service, afterService] = name(payload, STREAM_KEY_BYTES + POSITION_BYTES)
  const [from, end] = name(payload, afterService)
  if (end !== payload.length) throw new FrameError('RESUME with bytes left over')
  return { type: 'resume', stream, key, position, service, from, ...hopsAndNamed(flags) }
}

function hopsAndNamed(flags: number): { hops: number; named?: true } {
  return { hops: flags & HOPS, ...((flags & NAMED) !== 0 && { named: true }) }
}

function readPosition(payload: Buffer, at: number): Position {
  const [received, consumed, limit] = [0, 8, 16].map((field) => readOffset(payload, at + field)) as [
    number,
    number,
    number,
  ]
  const bits = payload[at + 24]!
  const ended = (bits & ENDED) !== 0
  if (consumed > received + (ended ? 1 : 0)) throw new FrameError('more consumed than received')
  if (received > limit) throw new FrameError('more received than allowed')
  return { received, consumed, limit: window(consumed, limit), ended, answered: (bits & ANSWERED) !== 0 }
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

function codeAndText(payload: Buffer): { code: number; message: string } {
  return { code: atLeast(payload, 2).readUInt16BE(0), message: text(payload.subarray(2)) }
}

function readOffset(payload: Buffer, at: number): number {
  const offset = payload.readUInt32BE(at) * 2 ** 32 + payload.readUInt32BE(at + 4)
  if (offset > Number.MAX_SAFE_INTEGER) throw new FrameError('an offset beyond 2^53')
  return offset
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
