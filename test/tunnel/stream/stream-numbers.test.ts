import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamNumbers } from '../../../src/tunnel/stream/stream-numbers.ts'

const side = fc.constantFrom('agent' as const, 'hub' as const)
const free = () => false

test('the side that dialled takes odd numbers from 1 on, the hub even ones from 2 on', () => {
  const [agent, hub] = [new StreamNumbers('agent'), new StreamNumbers('hub')]
  expect([agent.next(free), agent.next(free), agent.next(free)]).toEqual([1, 3, 5])
  expect([hub.next(free), hub.next(free), hub.next(free)]).toEqual([2, 4, 6])
})

test('each side takes the other’s numbers for the peer’s, and never its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), (number) => {
      expect(new StreamNumbers('agent').isPeers(number)).toBe(number % 2 === 0)
      expect(new StreamNumbers('hub').isPeers(number)).toBe(number % 2 === 1)
    }),
  )
})

test('a number in use is passed over', () => {
  fc.assert(
    fc.property(side, fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }), (who, taken) => {
      const numbers = new StreamNumbers(who)
      const given = Array.from({ length: 40 }, () => numbers.next((number) => taken.includes(number)))
      expect(given.filter((number) => taken.includes(number))).toEqual([])
      expect(new Set(given).size).toBe(given.length)
    }),
  )
})

test('after 2^32 numbers begin again, with the same parity, and 0 is never one', () => {
  const nearTheEnd = 2 ** 31 - 2
  const [agent, hub] = [new StreamNumbers('agent', nearTheEnd), new StreamNumbers('hub', nearTheEnd)]
  const five = [1, 2, 3, 4, 5]
  expect(five.map(() => agent.next(free))).toEqual([2 ** 32 - 3, 2 ** 32 - 1, 1, 3, 5])
  expect(five.map(() => hub.next(free))).toEqual([2 ** 32 - 4, 2 ** 32 - 2, 2, 4, 6])
})
