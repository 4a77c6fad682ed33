import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OPCODE } from '../../../src/websocket/frames/frame-header.ts'
import { FrameReader, MAX_FRAGMENTS, type FrameSink } from '../../../src/websocket/frames/frame-reader.ts'
import { SMALL_CHUNK_BYTES } from '../../../src/websocket/frames/chunks.ts'
import { ProtocolError } from '../../../src/websocket/frames/protocol-error.ts'
import { filler, frame } from '../helpers/frame.ts'

const MAX_MESSAGE_BYTES = 70_000
const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

type Event = { message: Buffer[] } | { opcode: number; payload: Buffer }

function reader(
  masked: boolean,
  maxMessageBytes = MAX_MESSAGE_BYTES,
): { frames: FrameReader; events: Event[] } {
  const events: Event[] = []
  const sink: FrameSink = {
    message: (chunks, bytes) => {
      expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(bytes)
      expect(chunks.every(({ length }) => length > 0)).toBe(true)
      events.push({ message: chunks })
    },
    control: (opcode, payload) => events.push({ opcode, payload: Buffer.from(payload) }),
  }
  return { frames: new FrameReader(sink, { masked, maxMessageBytes }), events }
}

const joined = (event: Event): Event =>
  'message' in event ? { message: [Buffer.concat(event.message)] } : event

/** Cuts bytes at places of a random kind. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  const ends = [...at, bytes.length]
  // Copies, as reads are.
  return ends
    .map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)))
    .filter(({ length }) => length > 0)
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(0, 1, 125, 126, 127, SMALL_CHUNK_BYTES, 65_535, 65_536, MAX_MESSAGE_BYTES).map(filler),
)
const control = fc.record({
  opcode: fc.constantFrom(OPCODE.PING, OPCODE.PONG),
  payload: fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes)),
})
/** A message, where it is cut into fragments, and the control frames after each of them. */
const message = fc.record({
  payload: payload.map((bytes) => Buffer.from(bytes)),
  cuts: fc.array(fc.nat(), { maxLength: 5 }),
  empties: fc.nat(3),
  controls: fc.array(fc.array(control, { maxLength: 2 }), { maxLength: 4 }),
})
const key = fc.oneof(fc.constant(Buffer.alloc(4)), fc.uint8Array({ minLength: 4, maxLength: 4 }))

test('messages come out as they went in, however they are fragmented, masked and cut into reads', () => {
  const places = fc.array(fc.nat(), { maxLength: 30 })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.option(key), places, (messages, key, places) => {
      const wire: Buffer[] = []
      const expected: Event[] = []
      for (const { payload, cuts, empties, controls } of messages) {
        const fragments = [...cut(payload, cuts), ...Array.from({ length: empties }, () => Buffer.alloc(0))]
        if (fragments.length === 0) fragments.push(payload)
        fragments.forEach((fragment, i) => {
          const isFinal = i === fragments.length - 1
          const opcode = i === 0 ? OPCODE.BINARY : OPCODE.CONTINUATION
          wire.push(frame({ opcode, payload: fragment, isFinal, key: key ?? undefined }))
          if (isFinal) expected.push({ message: [payload] })
          for (const one of controls[i] ?? []) {
            wire.push(frame({ ...one, key: key ?? undefined }))
            expected.push(one)
          }
        })
      }
      const { frames, events } = reader(key !== null)
      for (const read of cut(Buffer.concat(wire), places)) frames.push(read)
      expect(events.map(joined)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('a message is the same, whichever byte a read ends at', () => {
  const parts = [
    frame({ opcode: OPCODE.BINARY, payload: filler(130), isFinal: false, key: KEY }),
    frame({ opcode: OPCODE.PING, payload: filler(5), key: KEY }),
    frame({ opcode: OPCODE.CONTINUATION, payload: filler(3), key: KEY }),
  ]
  const bytes = Buffer.concat(parts)
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 7) {
      const { frames, events } = reader(true)
      for (const read of cut(bytes, [first, second])) frames.push(read)
      expect(events.map(joined)).toEqual([
        { opcode: OPCODE.PING, payload: filler(5) },
        { message: [Buffer.concat([filler(130), filler(3)])] },
      ])
    }
  }
})

test('random bytes are refused, or wait for more, and nothing else happens', () => {
  const first = fc.option(fc.constantFrom(0x82, 0x02, 0x80, 0x89, 0x8a, 0x88))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), first, fc.boolean(), (random, first, masked) => {
      const bytes = Buffer.from(random)
      if (first !== null && bytes.length > 0) bytes[0] = first
      const { frames } = reader(masked, 200)
      try {
        for (const read of cut(bytes, [7, 100])) frames.push(read)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
    { numRuns: 3000 },
  )
})

describe('RFC 6455 §5.7', () => {
  const hello = Buffer.from('Hello')
  /** The RFC's are text; here they are binary, which is one bit. */
  const events = (masked: boolean, hex: string) => {
    const { frames, events } = reader(masked)
    frames.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    return events
  }

  test('an unmasked message', () => {
    expect(events(false, '82 05 48 65 6c 6c 6f')).toEqual([{ message: [hello] }])
  })
  test('a masked message', () => {
    expect(events(true, '82 85 37 fa 21 3d 7f 9f 4d 51 58')).toEqual([{ message: [hello] }])
  })
  test('a fragmented message', () => {
    expect(events(false, '02 03 48 65 6c  80 02 6c 6f')).toEqual([{ message: [hello] }])
  })
  test('an unmasked PING, and its masked PONG', () => {
    expect(events(false, '89 05 48 65 6c 6c 6f')).toEqual([{ opcode: 9, payload: hello }])
    expect(events(true, '8a 85 37 fa 21 3d 7f 9f 4d 51 58')).toEqual([{ opcode: 10, payload: hello }])
  })
  test('256 bytes, and 64 KiB', () => {
    const [short, long] = [filler(256), filler(65_536)]
    expect(events(false, `82 7e 01 00 ${short.toString('hex')}`)).toEqual([{ message: [short] }])
    expect(events(false, `82 7f 00 00 00 00 00 01 00 00 ${long.toString('hex')}`)).toEqual([
      { message: [long] },
    ])
  })
})

describe('refused is', () => {
  const unmasked = [
    ['§5.1: a masked frame from a server', [{ opcode: 2, key: KEY }], 1002, 'a masked frame'],
    ['§5.4: a continuation of nothing', [{ opcode: 0 }], 1002, 'a continuation of no message'],
    [
      '§5.4: a message that begins within another',
      [{ opcode: 2, isFinal: false }, { opcode: 2 }],
      1002,
      'a message within another',
    ],
    [
      '§5.4: a continuation after the last',
      [{ opcode: 2, isFinal: false }, { opcode: 0 }, { opcode: 0 }],
      1002,
      'a continuation of no message',
    ],
    ['a text', [{ opcode: 1, payload: Buffer.from('hi') }], 1003, 'a text message'],
    ['a message beyond the limit', [{ opcode: 2, payload: filler(101) }], 1009, 'a message of 101 bytes'],
    [
      'one whose fragments are, together',
      [
        { opcode: 2, payload: filler(60), isFinal: false },
        { opcode: 0, payload: filler(41) },
      ],
      1009,
      'a message of 101 bytes',
    ],
  ] as const
  test.for(unmasked)('%s', ([, sent, code, message]) => {
    const { frames } = reader(false, 100)
    const bytes = Buffer.concat(sent.map((one) => frame(one)))
    expect(() => frames.push(bytes)).toThrow(expect.objectContaining({ code, message }))
  })

  test('§5.1: an unmasked frame from a client', () => {
    const { frames } = reader(true)
    expect(() => frames.push(frame({ opcode: 2 }))).toThrow(
      expect.objectContaining({ code: 1002, message: 'a frame without a mask' }),
    )
  })

  test('a message beyond the limit by its header alone', () => {
    const { frames } = reader(false, 100)
    const header = frame({ opcode: 2, payload: filler(101) }).subarray(0, 2)
    expect(() => frames.push(header)).toThrow(expect.objectContaining({ code: 1009 }))
  })

  test('a message in too many fragments, empty as they may be', () => {
    const { frames } = reader(false)
    frames.push(frame({ opcode: 2, isFinal: false }))
    for (let i = 1; i < MAX_FRAGMENTS; i++) frames.push(frame({ opcode: 0, isFinal: false }))
    expect(() => frames.push(frame({ opcode: 0 }))).toThrow(expect.objectContaining({ code: 1008 }))
  })
})

describe('chunks', () => {
  test('are views of what was read', () => {
    const { frames, events } = reader(false)
    const payload = filler(32_000)
    const read = Buffer.concat([frame({ opcode: 2, payload }), frame({ opcode: 2, payload })])
    frames.push(read)
    expect(events).toEqual([{ message: [payload] }, { message: [payload] }])
    for (const event of events) expect('message' in event && event.message[0]!.buffer).toBe(read.buffer)
  })

  test('are not joined across reads', () => {
    const { frames, events } = reader(true)
    const payload = filler(40_000)
    const reads = cut(frame({ opcode: 2, payload, key: KEY }), [30_000])
    for (const read of reads) frames.push(read)
    const [event] = events
    if (!event || !('message' in event)) throw new Error('no message')
    expect(event.message.map(({ buffer }) => buffer)).toEqual(reads.map(({ buffer }) => buffer))
    expect(Buffer.concat(event.message)).toEqual(payload)
  })

  test('are few, however slowly they come', () => {
    const { frames, events } = reader(true)
    const payload = filler(65_536)
    for (const byte of frame({ opcode: 2, payload, key: KEY })) frames.push(Buffer.from([byte]))
    const [event] = events
    if (!event || !('message' in event)) throw new Error('no message')
    expect(event.message.length).toBeLessThanOrEqual(65_536 / SMALL_CHUNK_BYTES)
    expect(Buffer.concat(event.message)).toEqual(payload)
  })

  test('are at most two for each 2 KiB, whatever a peer makes of it', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 2 * SMALL_CHUNK_BYTES }), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(sizes, (sizes) => {
        const { frames, events } = reader(false, 2 ** 20)
        const payload = filler(sizes.reduce((sum, size) => sum + size, 0))
        let at = 0
        frames.push(frame({ opcode: 2, isFinal: false }))
        for (const size of sizes) {
          frames.push(frame({ opcode: 0, isFinal: false, payload: payload.subarray(at, at + size) }))
          at += size
        }
        frames.push(frame({ opcode: 0 }))
        const [event] = events
        if (!event || !('message' in event)) throw new Error('no message')
        expect(Buffer.concat(event.message)).toEqual(payload)
        const small = event.message.map(({ length }) => length < SMALL_CHUNK_BYTES)
        expect(small.some((isSmall, i) => isSmall && small[i + 1])).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

test('what comes after it was stopped is ignored, also of the same read', () => {
  const seen: number[] = []
  const frames: FrameReader = new FrameReader(
    {
      message: (_chunks, bytes) => {
        seen.push(bytes)
        frames.stop()
      },
      control: () => seen.push(-1),
    },
    { masked: false, maxMessageBytes: 100 },
  )
  frames.push(
    Buffer.concat([frame({ opcode: 2, payload: filler(3) }), frame({ opcode: 9 }), frame({ opcode: 3 })]),
  )
  frames.push(frame({ opcode: 3 }))
  expect(seen).toEqual([3])
})
