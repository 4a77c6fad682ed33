import { expect, onTestFinished, test, vi } from 'vitest'
import { append, giveBack, isPiece, keep } from '../../src/memory/pieces.ts'

const KB = 1024

test('bytes that are kept are a copy: many lie in a piece, few in memory of their own size', () => {
  const read = Buffer.alloc(64 * KB, 1)
  const [many, few] = [keep(read), keep(read.subarray(0, 100))]
  read.fill(2)
  expect([many.length, few.length]).toEqual([64 * KB, 100])
  expect(many.every((byte) => byte === 1) && few.every((byte) => byte === 1)).toBe(true)
  expect([isPiece(many), isPiece(few)]).toEqual([true, false])
  expect(few.buffer.byteLength).toBe(100)
})

test('what is to wait for long takes no piece that it hardly fills', () => {
  const kept = keep(Buffer.alloc(40 * KB), 0.75)
  expect([isPiece(kept), kept.buffer.byteLength]).toEqual([false, 40 * KB])
})

test('a piece that is given back is used again', () => {
  const piece = keep(Buffer.alloc(20 * KB, 1))
  giveBack(piece.subarray(5))
  expect(keep(Buffer.alloc(64 * KB)).buffer).toBe(piece.buffer)
})

test('a piece that is given back twice is not used by two', () => {
  const piece = keep(Buffer.alloc(20 * KB, 1))
  giveBack(piece)
  giveBack(piece)
  const [one, other] = [keep(Buffer.alloc(20 * KB)), keep(Buffer.alloc(20 * KB))]
  expect(one.buffer).not.toBe(other.buffer)
})

test('what comes next is put behind it in a piece, as long as there is room', () => {
  const first = keep(Buffer.alloc(40 * KB, 1))
  const both = append(first, Buffer.alloc(20 * KB, 2))!
  expect(both.buffer).toBe(first.buffer)
  expect(both).toEqual(Buffer.concat([Buffer.alloc(40 * KB, 1), Buffer.alloc(20 * KB, 2)]))
  expect(append(both, Buffer.alloc(20 * KB))).toBeUndefined()
  expect(append(keep(Buffer.alloc(100)), Buffer.alloc(1))).toBeUndefined()
})

test('as many as are in use are used again, and forgotten once nobody has needed them for two seconds', () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const many = 300
  const take = () => Array.from({ length: many }, () => keep(Buffer.alloc(64 * KB)))
  const first = take()
  const known = new Set(first.map(({ buffer }) => buffer))
  const knownOf = (kept: Buffer[]) => kept.filter(({ buffer }) => known.has(buffer)).length
  first.forEach(giveBack)
  for (let second = 0; second < 5; second++) {
    const again = take()
    expect(knownOf(again)).toBe(many)
    again.forEach(giveBack)
    vi.advanceTimersByTime(1000)
  }
  vi.advanceTimersByTime(1000)
  expect(vi.getTimerCount()).toBe(0)
  expect(knownOf(take())).toBe(64)
})
