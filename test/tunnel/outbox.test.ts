import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FRAME_OVERHEAD_BYTES } from '../../src/tunnel/limits.ts'
import type { Message } from '../../src/tunnel/message.ts'
import { Outbox } from '../../src/tunnel/outbox.ts'

/** What the outbox is held to: plain arrays, and who was served last. */
class Model {
  control: Buffer[] = []
  streams = new Map<number, Buffer[]>()
  turns: number[] = []

  get controlBytes(): number {
    return this.control.reduce((sum, frame) => sum + frame.length, 0)
  }

  get dataBytes(): number {
    const frames = [...this.streams.values()].flat()
    return frames.reduce((sum, frame) => sum + frame.length + FRAME_OVERHEAD_BYTES, 0)
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

function messageOf(frame: Buffer): Message {
  return { pieces: [frame], bytes: frame.length }
}

const stream = fc.integer({ min: 1, max: 5 })
const frame = fc.integer({ min: 0, max: 100 }).map((size) => Buffer.alloc(size))
const step = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant('data' as const), stream, frame }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('control' as const), frame }) },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('shift' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('drop' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
)

test('control goes first, streams take turns frame by frame, each keeps its order, and the bytes add up', () => {
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
            model.control.push(step.frame)
            break
          }
          case 'shift': {
            const [real, wanted] = [outbox.shift(), model.shift()]
            expect(real?.stream).toBe(wanted?.stream)
            expect(real?.frame.pieces[0]).toBe(wanted?.frame)
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
        expect(outbox.controlBytes).toBe(model.controlBytes)
        expect(outbox.dataBytes).toBe(model.dataBytes)
        expect(outbox.urgent).toBe(model.control.length > 0)
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
  expect(outbox.dataBytes).toBe(6 + FRAME_OVERHEAD_BYTES)
})
