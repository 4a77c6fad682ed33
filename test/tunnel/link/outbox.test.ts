import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from '../../../src/tunnel/link/outbox.ts'
import {
  encodeCtrl,
  encodeOpenOk,
  encodePong,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import { TYPE } from '../../../src/tunnel/protocol/frames.ts'
import { FRAME_OVERHEAD_BYTES } from '../../../src/tunnel/protocol/limits.ts'
import type { Message } from '../../../src/tunnel/protocol/message.ts'
import { open } from '../helpers/switched.ts'

/** What the outbox is held to: plain arrays, and who was served last. */
class Model {
  control: Buffer[] = []
  streams = new Map<number, Buffer[]>()
  turns: number[] = []

  get controlCost(): number {
    return costOf(this.control)
  }

  get dataCost(): number {
    return costOf([...this.streams.values()].flat())
  }

  get largestCost(): number {
    return Math.max(0, ...[...this.streams.values()].map(costOf))
  }

  pushControl(frame: Buffer): void {
    const [type, stream] = [frame[0], frame.readUInt32BE(2)]
    const isOfStream = (other: Buffer) => other.readUInt32BE(2) === stream && stream !== 0
    if (type === TYPE.RST) {
      if (this.control.some((other) => isOfStream(other) && other[0] === TYPE.RST)) return
      const isNew = this.control.some((other) => isOfStream(other) && other[0] === TYPE.OPEN)
      this.control = this.control.filter((other) => !isOfStream(other) || other[0] === TYPE.OPEN_OK)
      if (isNew) return
    }
    const same = this.control.findIndex(
      (other) => other[0] === type && other.readUInt32BE(2) === stream && type !== TYPE.CTRL,
    )
    if (same === -1) this.control.push(frame)
    else this.control[same] = frame
  }

  pushData(stream: number, frame: Buffer): void {
    const queue = this.streams.get(stream) ?? []
    this.streams.set(stream, [...queue, frame])
    if (queue.length === 0) this.turns.push(stream)
  }

  drop(stream: number): void {
    this.streams.delete(stream)
    this.turns = this.turns.filter((other) => other !== stream)
  }

  shift(): { stream: number; frame: Buffer } | undefined {
    const control = this.control.shift()
    if (control) return { stream: 0, frame: control }
    const stream = this.turns.shift()
    if (stream === undefined) return undefined
    const [frame, ...rest] = this.streams.get(stream)!
    if (rest.length > 0) {
      this.streams.set(stream, rest)
      this.turns.push(stream)
    } else this.streams.delete(stream)
    return { stream, frame: frame! }
  }
}

function costOf(frames: Buffer[]): number {
  return frames.reduce((sum, frame) => sum + frame.length + FRAME_OVERHEAD_BYTES, 0)
}

function messageOf(frame: Buffer): Message {
  return { chunks: [frame], bytes: frame.length }
}

const stream = fc.integer({ min: 1, max: 5 })
const frame = fc.integer({ min: 0, max: 100 }).map((size) => Buffer.alloc(size))
const control = fc.oneof(
  stream.map((number) => open(number, 'web')),
  stream.map((number) => encodeOpenOk(number, 0)),
  fc.tuple(stream, fc.nat(1000)).map(([number, consumed]) => encodeWindow(number, consumed, consumed)),
  fc.tuple(stream, fc.nat(9)).map(([number, code]) => encodeRst(number, code)),
  fc.nat(1000).map((token) => encodePong(BigInt(token))),
  fc.nat(1000).map((message) => encodeCtrl(message)),
)
const step = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant('data' as const), stream, frame }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('control' as const), frame: control }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('shift' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('drop' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
)

test('control goes first, the latest of each kind, streams take turns frame by frame, each keeps its order, and the bytes add up', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const outbox = new Outbox()
      let model = new Model()
      for (const step of steps) {
        switch (step.do) {
          case 'data': {
            outbox.pushData(step.stream, messageOf(step.frame))
            model.pushData(step.stream, step.frame)
            break
          }
          case 'control': {
            outbox.pushControl(step.frame)
            model.pushControl(step.frame)
            break
          }
          case 'shift': {
            const [real, wanted] = [outbox.shift(), model.shift()]
            expect(real?.stream).toBe(wanted?.stream)
            expect(real?.frame.chunks[0]).toBe(wanted?.frame)
            break
          }
          case 'drop': {
            outbox.drop(step.stream)
            model.drop(step.stream)
            break
          }
          case 'clear': {
            outbox.clear()
            model = new Model()
            break
          }
        }
        expect([outbox.controlCost, outbox.dataCost]).toEqual([model.controlCost, model.dataCost])
        expect(outbox.cost).toBe(model.controlCost + model.dataCost)
        const largest = outbox.largestStream
        expect(largest === undefined ? 0 : costOf(model.streams.get(largest)!)).toBe(model.largestCost)
      }
    }),
  )
})

test('a stream that begins late waits for one frame of each other stream, however much they have', () => {
  const outbox = new Outbox()
  for (let i = 0; i < 100; i++)
    for (const bulk of [1, 2, 3]) outbox.pushData(bulk, messageOf(Buffer.alloc(1000)))
  outbox.pushData(4, messageOf(Buffer.from('late')))
  expect([1, 2, 3, 4].map(() => outbox.shift()?.stream)).toEqual([1, 2, 3, 4])
})

test('a frame of nothing but a header counts for the memory that it takes', () => {
  const outbox = new Outbox()
  outbox.pushData(1, messageOf(Buffer.alloc(6)))
  expect(outbox.dataCost).toBe(6 + FRAME_OVERHEAD_BYTES)
})

test('a thousand WINDOWs of a stream wait as one, the latest, where the first one stood', () => {
  const outbox = new Outbox()
  for (let i = 0; i < 1000; i++) {
    outbox.pushControl(encodeWindow(2, i, i))
    outbox.pushControl(encodeWindow(4, i, i))
  }
  expect(outbox.controlCost).toBe(2 * (22 + FRAME_OVERHEAD_BYTES))
  expect([1, 2, 3].map(() => outbox.shift()?.frame.chunks[0])).toEqual([
    encodeWindow(2, 999, 999),
    encodeWindow(4, 999, 999),
    undefined,
  ])
})

test('of a stream that is opened and reset before its OPEN has gone out, nothing is said', () => {
  const outbox = new Outbox()
  for (let number = 2; number < 2000; number += 2) {
    outbox.pushControl(open(number, 'web'))
    outbox.pushControl(encodeWindow(number, 0, 1))
    outbox.pushControl(encodeRst(number, 1, 'gone'))
  }
  expect([outbox.controlCost, outbox.shift()]).toEqual([0, undefined])
})
