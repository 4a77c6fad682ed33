import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SendBuffer } from '../../../src/tunnel/stream/send-buffer.ts'

function bytesFrom(buffer: SendBuffer, from: number, atMost: number): Buffer | undefined {
  const read = buffer.read(from, atMost)
  return read && Buffer.concat(read.chunks, read.bytes)
}

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), bytes: fc.oneof(fc.nat(30), fc.nat(9000)) }),
  fc.record({
    do: fc.constant('read' as const),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    atMost: fc.nat(5000),
  }),
  fc.record({ do: fc.constant('release' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
)

test('any byte that was not released can be read, again and again, from any offset', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const buffer = new SendBuffer()
      let all = Buffer.alloc(0)
      let released = 0
      for (const one of steps) {
        if (one.do === 'push') {
          const chunk = Buffer.from(Array.from({ length: one.bytes }, (_, at) => (all.length + at) % 251))
          buffer.push(chunk)
          all = Buffer.concat([all, chunk])
        } else if (one.do === 'release') {
          released += Math.floor((all.length - released) * one.share)
          buffer.release(released, released)
        } else {
          const from = released + Math.floor((all.length - released) * one.from)
          const bytes = bytesFrom(buffer, from, one.atMost)
          if (from === all.length || one.atMost === 0) expect(bytes).toBeUndefined()
          else expect(bytes).toEqual(all.subarray(from, from + one.atMost))
        }
        expect(buffer.end).toBe(all.length)
      }
    }),
  )
})

test('single bytes are kept together, in the order in which they came', () => {
  const buffer = new SendBuffer()
  for (let i = 0; i < 5000; i++) buffer.push(Buffer.of(i % 251))
  expect(bytesFrom(buffer, 0, 10_000)).toEqual(Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251)))
})

test('a chunk that is added to later does not change what was read before', () => {
  const buffer = new SendBuffer()
  buffer.push(Buffer.from('one'))
  const [before] = buffer.read(0, 100)!.chunks
  buffer.push(Buffer.from('two'))
  expect([String(before), String(bytesFrom(buffer, 0, 100)), String(bytesFrom(buffer, 3, 100))]).toEqual([
    'one',
    'onetwo',
    'two',
  ])
})

test('a small chunk that stays alone is not copied', () => {
  const buffer = new SendBuffer()
  const chunk = Buffer.from('alone')
  buffer.push(chunk)
  expect(buffer.read(0, 100)!.chunks[0]).toBe(chunk)
})
