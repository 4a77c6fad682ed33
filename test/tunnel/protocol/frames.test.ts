import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode } from '../../../src/tunnel/protocol/decode.ts'
import {
  encodeCtrl,
  encodeFin,
  encodeGoaway,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodePing,
  encodePong,
  encodeResume,
  encodeResumed,
  encodeRst,
  encodeWindow,
  renumber,
} from '../../../src/tunnel/protocol/encode.ts'
import {
  FrameError,
  POSITION_BYTES,
  STREAM_KEY_BYTES,
  TYPE,
  type Frame,
  type Position,
} from '../../../src/tunnel/protocol/frames.ts'
import {
  HEADER_BYTES,
  MAX_CTRL_BYTES,
  MAX_DATA_BYTES,
  MAX_FRAME_BYTES,
  MAX_TEXT_BYTES,
} from '../../../src/tunnel/protocol/limits.ts'
import { MAX_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { decodeWhole, encodeData, type WholeFrame } from '../helpers/whole-frames.ts'

const stream = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const code = fc.integer({ min: 0, max: 65_535 })
const token = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const offset = fc.oneof(fc.nat(), fc.maxSafeNat())
const key = fc
  .uint8Array({ minLength: STREAM_KEY_BYTES, maxLength: STREAM_KEY_BYTES })
  .map((b) => Buffer.from(b))
const shortName = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .filter((text) => Buffer.byteLength(text) <= 255 && text.isWellFormed())
/** As it arrives: one line, without what a terminal would act on. */
const message = fc
  .string({ unit: 'grapheme', maxLength: 100 })
  .filter((text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES && text.isWellFormed())
  .map((text) => text.replaceAll(/\p{Cc}/gu, ' ').trim())
const payload = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const hops = fc.integer({ min: 0, max: 15 })
const room = fc.integer({ min: 0, max: MAX_WINDOW })

const position: fc.Arbitrary<Position> = fc
  .record({ consumed: fc.nat(), unread: fc.nat(100), room, ended: fc.boolean(), answered: fc.boolean() })
  .map(({ consumed, unread, room, ended, answered }) => ({
    received: consumed + Math.min(unread, room),
    consumed,
    limit: consumed + room,
    ended,
    answered,
  }))

/** Frames, and their bytes by the encoder. */
const anyFrame: fc.Arbitrary<{ frame: WholeFrame; bytes: Buffer }> = fc.oneof(
  fc
    .record({ stream, key, limit: room, service: shortName, from: shortName, hops, named: fc.boolean() })
    .map(({ named, ...open }) => ({
      frame: { type: 'open' as const, ...open, ...(named && { named }) },
      bytes: encodeOpen(open.stream, open.key, open.limit, open.service, {
        from: open.from,
        hops: open.hops,
        named,
      }),
    })),
  fc.record({ stream, limit: room }).map(({ stream, limit }) => ({
    frame: { type: 'openOk' as const, stream, limit },
    bytes: encodeOpenOk(stream, limit),
  })),
  fc.record({ stream, code, message }).map(({ stream, code, message }) => ({
    frame: { type: 'openErr' as const, stream, code, message },
    bytes: encodeOpenErr(stream, code, message),
  })),
  fc.record({ stream, payload, blocked: fc.boolean() }).map(({ stream, payload, blocked }) => ({
    frame: { type: 'data' as const, stream, payload, ...(blocked && { blocked }) },
    bytes: encodeData(stream, payload, blocked),
  })),
  fc
    .record({ stream, limit: offset, room })
    .map(({ stream, limit, room }) => ({ stream, limit, consumed: Math.max(0, limit - room) }))
    .map(({ stream, consumed, limit }) => ({
      frame: { type: 'window' as const, stream, consumed, limit },
      bytes: encodeWindow(stream, consumed, limit),
    })),
  fc.record({ stream, offset }).map(({ stream, offset }) => ({
    frame: { type: 'fin' as const, stream, offset },
    bytes: encodeFin(stream, offset),
  })),
  fc.record({ stream, code, message }).map(({ stream, code, message }) => ({
    frame: { type: 'rst' as const, stream, code, message },
    bytes: encodeRst(stream, code, message),
  })),
  fc
    .record({ stream, key, position, service: shortName, from: shortName, hops, named: fc.boolean() })
    .map(({ named, ...resume }) => {
      const { stream, key, position, service, from, hops } = resume
      return {
        frame: { type: 'resume' as const, ...resume, ...(named && { named }) },
        bytes: encodeResume(stream, key, position, service, { from, hops, named }),
      }
    }),
  fc.record({ stream, position }).map(({ stream, position }) => ({
    frame: { type: 'resumed' as const, stream, position },
    bytes: encodeResumed(stream, position),
  })),
  token.map((token) => ({ frame: { type: 'ping' as const, token }, bytes: encodePing(token) })),
  token.map((token) => ({ frame: { type: 'pong' as const, token }, bytes: encodePong(token) })),
  fc
    .record({ code, afterMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }), message })
    .map(({ code, afterMs, message }) => ({
      frame: { type: 'goaway' as const, code, afterMs, message },
      bytes: encodeGoaway(code, afterMs, message),
    })),
  // Through JSON once, which knows no -0.
  fc.json().map((text) => {
    const message: unknown = JSON.parse(JSON.stringify(JSON.parse(text)))
    return { frame: { type: 'ctrl' as const, message }, bytes: encodeCtrl(message) }
  }),
)

function decodeOrRefuse(bytes: Buffer): Frame | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError)
    return undefined
  }
}

test('whatever is encoded is decoded to the same', () => {
  fc.assert(
    fc.property(anyFrame, ({ frame, bytes }) => {
      expect(decodeWhole(bytes)).toEqual(frame)
      expect(bytes.length).toBeLessThanOrEqual(MAX_FRAME_BYTES)
    }),
    { numRuns: 1000 },
  )
})

test('a frame that is cut short anywhere is refused, or is another whole frame, and nothing else happens', () => {
  fc.assert(
    fc.property(anyFrame, ({ bytes }) => {
      for (let length = 0; length < bytes.length; length++) decodeOrRefuse(bytes.subarray(0, length))
    }),
    { numRuns: 300 },
  )
})

test('a frame with some bytes changed is refused, or is another frame, and nothing else happens', () => {
  const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(anyFrame, fc.array(change, { minLength: 1, maxLength: 4 }), ({ bytes }, changes) => {
      const changed = Buffer.from(bytes)
      for (const { at, value } of changes) changed[at % changed.length] = value
      decodeOrRefuse(changed)
    }),
    { numRuns: 1000 },
  )
})

test('random bytes are refused, or are a frame, and nothing else happens', () => {
  const type = fc.constantFrom(...Object.values(TYPE))
  fc.assert(
    fc.property(fc.option(type), fc.uint8Array({ maxLength: 80 }), (type, random) => {
      const bytes = Buffer.from(random)
      if (type !== null && bytes.length > 0) bytes[0] = type
      decodeOrRefuse(bytes)
    }),
    { numRuns: 2000 },
  )
})

test('what is decoded from random bytes never breaks a limit', () => {
  const type = fc.constantFrom(TYPE.OPEN_OK, TYPE.WINDOW, TYPE.FIN)
  fc.assert(
    fc.property(type, fc.uint8Array({ minLength: 13, maxLength: 21 }), (type, rest) => {
      const frame = decodeOrRefuse(Buffer.from([type, ...rest]))
      if (frame?.type === 'openOk') expect(frame.limit).toBeLessThanOrEqual(MAX_WINDOW)
      if (frame?.type === 'fin') expect(Number.isSafeInteger(frame.offset)).toBe(true)
      if (frame?.type !== 'window') return
      expect(frame.limit - frame.consumed).toBeGreaterThanOrEqual(0)
      expect(frame.limit - frame.consumed).toBeLessThanOrEqual(MAX_WINDOW)
    }),
    { numRuns: 2000 },
  )
})

test('DATA carries up to 65,536 bytes, and at least one', () => {
  const most = Buffer.alloc(MAX_DATA_BYTES, 7)
  expect(decodeWhole(encodeData(1, most))).toEqual({ type: 'data', stream: 1, payload: most })
  expect(() => decode(encodeData(1, Buffer.alloc(MAX_DATA_BYTES + 1)))).toThrow(FrameError)
  expect(() => decode(encodeData(1, Buffer.alloc(0)))).toThrow(FrameError)
})

test('DATA may be cut anywhere behind its header', () => {
  fc.assert(
    fc.property(stream, payload, fc.array(fc.nat(200)), (stream, payload, cuts) => {
      const bytes = encodeData(stream, payload)
      const places = [...new Set(cuts.map((cut) => HEADER_BYTES + (cut % payload.length)))].toSorted(
        (a, b) => a - b,
      )
      const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index]))
      const [first, ...rest] = chunks as [Buffer, ...Buffer[]]
      const frame = decode(first, rest)
      expect(frame).toMatchObject({ type: 'data', stream, bytes: payload.length })
      expect(Buffer.concat((frame as { payload: Buffer[] }).payload)).toEqual(payload)
      expect((frame as { payload: Buffer[] }).payload).not.toContainEqual(Buffer.alloc(0))
    }),
  )
})

test('a payload that is decoded is a view of the frame, not a copy', () => {
  const bytes = encodeData(1, Buffer.from('abc'))
  const frame = decode(bytes)
  bytes[HEADER_BYTES] = 0x7a
  expect(frame).toMatchObject({ payload: [Buffer.from('zbc')], bytes: 3 })
})

test('no window may be larger than 16 MiB', () => {
  const key = Buffer.alloc(STREAM_KEY_BYTES)
  for (const [least, encode] of [
    [0, (limit: number) => encodeOpen(1, key, limit, 'web')],
    [0, (limit: number) => encodeOpenOk(1, limit)],
    [10_000, (limit: number) => encodeWindow(1, 10_000, limit)],
  ] as const) {
    expect(decode(encode(least + MAX_WINDOW))).toMatchObject({ limit: least + MAX_WINDOW })
    expect(() => decode(encode(least + MAX_WINDOW + 1))).toThrow(FrameError)
  }
})

test('frames of a stream are refused for stream 0, which is the link', () => {
  const key = Buffer.alloc(STREAM_KEY_BYTES)
  for (const bytes of [
    encodeOpen(0, key, 1, 'web'),
    encodeOpenOk(0, 1),
    encodeOpenErr(0, 1, ''),
    encodeData(0, Buffer.from('a')),
    encodeWindow(0, 0, 1),
    encodeFin(0, 0),
    encodeRst(0, 1),
  ]) {
    expect(() => decode(bytes)).toThrow(/stream 0/)
  }
})

test('an unknown type is skipped if its high bit is set, and refused if not', () => {
  const known = new Set<number>(
    Object.values(TYPE).filter((type) => type !== TYPE.RESUME && type !== TYPE.RESUMED),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 30 }), (type, payload) => {
      fc.pre(!known.has(type))
      const bytes = Buffer.from([type, 0, 0, 0, 0, 1, ...payload])
      if (type >= 0x80) expect(decode(bytes)).toEqual({ type: 'skipped' })
      else expect(() => decode(bytes)).toThrow(FrameError)
    }),
  )
})

test('a text of more than 512 bytes is refused, and is never sent', () => {
  const bytes = encodeRst(1, 1, 'x'.repeat(MAX_TEXT_BYTES))
  expect(decode(bytes)).toMatchObject({ message: 'x'.repeat(MAX_TEXT_BYTES) })
  expect(() => decode(Buffer.concat([bytes, Buffer.from('x')]))).toThrow(FrameError)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 100, maxLength: 2000 }), (text) => {
      for (const encoded of [encodeRst(1, 1, text), encodeOpenErr(1, 1, text), encodeGoaway(1, 0, text)]) {
        const frame = decode(encoded) as Extract<Frame, { message: string }>
        // Shortened between two characters, never within one.
        expect(
          text
            .toWellFormed()
            .replaceAll(/\p{Cc}/gu, ' ')
            .trim()
            .startsWith(frame.message),
        ).toBe(true)
      }
    }),
    { numRuns: 200 },
  )
})

test('a text loses its line ends and control characters, so that it can be logged', () => {
  expect(decode(encodeRst(1, 1, ' one\r\ntwo\u0000\u001b[31m\u009b '))).toMatchObject({
    message: 'one  two  [31m',
  })
})

test('names are up to 255 bytes long, whatever their characters', () => {
  const key = Buffer.alloc(STREAM_KEY_BYTES)
  const name = 'é'.repeat(127)
  expect(decode(encodeOpen(1, key, 0, name, { from: name }))).toMatchObject({ service: name, from: name })
  expect(() => encodeOpen(1, key, 0, `${name}éé`)).toThrow(RangeError)
  expect(() => encodeOpen(1, key, 0, 'web', { from: 'x'.repeat(256) })).toThrow(RangeError)
})

test('a control message holds up to 64 KiB of JSON', () => {
  const most = 'x'.repeat(MAX_CTRL_BYTES - 2)
  expect(decode(encodeCtrl(most))).toEqual({ type: 'ctrl', message: most })
  expect(encodeCtrl(most)).toHaveLength(MAX_FRAME_BYTES)
  expect(() => encodeCtrl(`${most}x`)).toThrow(RangeError)
})

test('a frame is renumbered in place, and is otherwise the same', () => {
  fc.assert(
    fc.property(anyFrame, stream, ({ frame, bytes }, number) => {
      fc.pre('stream' in frame)
      expect(renumber(bytes, number)).toBe(bytes)
      expect(decodeWhole(bytes)).toEqual({ ...frame, stream: number })
    }),
  )
})

describe('a frame is refused, and the error says why:', () => {
  const key = Buffer.alloc(STREAM_KEY_BYTES)
  const at = (received: number, consumed: number, limit: number, ended = false): Position => ({
    received,
    consumed,
    limit,
    ended,
    answered: false,
  })
  const withByte = (frame: Buffer) => Buffer.concat([frame, Buffer.of(0)])
  /** The frame of a stream with this type and so many bytes of payload. */
  const ofType = (type: number, bytes: number) =>
    Buffer.from([type, 0, 0, 0, 0, 1, ...Buffer.alloc(bytes, 1)])

  test.for([
    ['half a header', Buffer.alloc(HEADER_BYTES - 1, 1), 'a frame of 5 bytes has no header'],
    ['an unknown type', ofType(0x0e, 0), 'unknown frame type 0x0e'],
    ['type 0', ofType(0, 0), 'unknown frame type 0x00'],
    ['DATA without any', encodeData(1, Buffer.alloc(0)), 'DATA of 0 bytes'],
    ['DATA that is too long', encodeData(1, Buffer.alloc(65_537)), 'DATA of 65537 bytes'],
    ['a stream frame for the link', encodeFin(0, 0), 'a stream frame for stream 0'],
    ['FIN of another length', withByte(encodeFin(1, 0)), 'a payload of 9 bytes, not 8'],
    ['OPEN_OK of another length', ofType(TYPE.OPEN_OK, 7), 'a payload of 7 bytes, not 8'],
    ['WINDOW of another length', ofType(TYPE.WINDOW, 8), 'a payload of 8 bytes, not 16'],
    ['PING of another length', withByte(encodePing(1n)), 'a payload of 9 bytes, not 8'],
    ['PONG of another length', withByte(encodePong(1n)), 'a payload of 9 bytes, not 8'],
    ['RESUMED of another length', ofType(TYPE.RESUMED, 26), 'a payload of 26 bytes, not 25'],
    ['RST without a code', ofType(TYPE.RST, 1), 'a payload of 1 bytes, not 2 or more'],
    ['GOAWAY without its time', ofType(TYPE.GOAWAY, 5), 'a payload of 5 bytes, not 6 or more'],
    ['OPEN without names', ofType(TYPE.OPEN, 25), 'a payload of 25 bytes, not 26 or more'],
    ['RESUME without names', ofType(TYPE.RESUME, 42), 'a payload of 42 bytes, not 43 or more'],
    [
      'OPEN whose first name is cut short',
      encodeOpen(1, key, 0, 'web').subarray(0, -2),
      'a payload of 27 bytes, not 28 or more',
    ],
    [
      'OPEN without its second name',
      encodeOpen(1, key, 0, 'web').subarray(0, -1),
      'a payload of 28 bytes, not 29 or more',
    ],
    [
      'OPEN that goes on',
      withByte(encodeOpen(1, key, 0, 'web', { from: 'ada' })),
      'OPEN with bytes left over',
    ],
    [
      'RESUME that goes on',
      withByte(encodeResume(1, key, at(0, 0, 0), 'web', { from: 'ada' })),
      'RESUME with bytes left over',
    ],
    ['a window that shrinks', encodeWindow(1, 2, 1), 'a window that ends before it begins'],
    ['a window that is too large', encodeWindow(1, 1, 1 + MAX_WINDOW + 1), 'a window of 16777217 bytes'],
    ['a number beyond 2^53', encodeFin(1, 2 ** 53), 'an offset beyond 2^53'],
    ['a position before its own past', encodeResumed(1, at(1, 2, 9)), 'more consumed than received'],
    ['an end that counts twice', encodeResumed(1, at(1, 3, 9, true)), 'more consumed than received'],
    ['a position beyond its limit', encodeResumed(1, at(3, 1, 2)), 'more received than allowed'],
    [
      'a long text',
      Buffer.concat([encodeRst(1, 1, 'x'.repeat(MAX_TEXT_BYTES)), Buffer.of(1)]),
      'a text of 513 bytes',
    ],
    [
      'a control message of words',
      Buffer.from([TYPE.CTRL, 0, 0, 0, 0, 0, 0x7b]),
      'a control message that is not JSON',
    ],
  ] as const)('%s', ([, bytes, message]) => {
    expect(() => decode(bytes)).toThrow(new FrameError(message))
  })
})

test('what is just within the bounds is taken', () => {
  expect(decode(encodeFin(1, Number.MAX_SAFE_INTEGER))).toMatchObject({ offset: Number.MAX_SAFE_INTEGER })
  expect(decode(encodeWindow(1, 7, 7))).toMatchObject({ consumed: 7, limit: 7 })
  const position = { received: 3, consumed: 4, limit: 4, ended: true, answered: true }
  expect(decode(encodeResumed(1, position))).toEqual({ type: 'resumed', stream: 1, position })
  const full = { received: 4, consumed: 4, limit: 4, ended: false, answered: false }
  expect(decode(encodeResumed(1, full))).toEqual({ type: 'resumed', stream: 1, position: full })
  expect(encodeResumed(1, full)).toHaveLength(HEADER_BYTES + POSITION_BYTES)
})
