import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Queue } from '../../../src/tunnel/link/queue.ts'

test('a queue gives back what it was given, in order, however pushes and shifts mix', () => {
  // Long runs of either, so that the queue moves its items too.
  const step = fc.record({ push: fc.nat(1500), shift: fc.nat(1500) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const queue = new Queue<number>()
      const model: number[] = []
      let last = 0
      for (const { push, shift } of steps) {
        for (let i = 0; i < push; i++) {
          queue.push(++last)
          model.push(last)
        }
        for (let i = 0; i < shift; i++) expect(queue.shift()).toBe(model.shift())
        expect(queue.length).toBe(model.length)
        expect([...queue]).toEqual(model)
      }
    }),
    { numRuns: 50 },
  )
})

test('a cleared queue is empty and goes on', () => {
  const queue = new Queue<string>()
  queue.push('old')
  queue.clear()
  expect(queue.shift()).toBeUndefined()
  queue.push('new')
  expect([...queue]).toEqual(['new'])
})
