import { expect, test } from 'vitest'
import { Shares } from '../../src/tunnel/shares.ts'

/** Has them take as many as they may, one after the other. @returns how many each has */
function takeAll(places: number, who: readonly string[]): number[] {
  const shares = new Shares()
  let free = places
  for (let someone = true; someone;) {
    someone = false
    for (const one of who) {
      if (!shares.mayTake(one, free)) continue
      shares.take(one)
      free--
      someone = true
    }
  }
  return who.map((one) => shares.of(one))
}

test('one alone gets three quarters, and several as much as each other, with some left', () => {
  expect(takeAll(1024, ['a'])).toEqual([768])
  expect(takeAll(1024, ['a', 'b'])).toEqual([439, 439])
  const ten = Array.from({ length: 10 }, (_, index) => String(index))
  expect(takeAll(1024, ten)).toEqual([100, ...ten.slice(1).map(() => 99)])
})

test('the last place is for anyone who has none, and there is nothing behind it', () => {
  const shares = new Shares()
  expect(shares.mayTake('new', 1)).toBe(true)
  expect(shares.mayTake('new', 0)).toBe(false)
  for (let i = 0; i < 3; i++) shares.take('old')
  expect(shares.mayTake('old', 1)).toBe(false)
  expect(shares.mayTake('old', 2)).toBe(true)
})

test('what is given back may be taken again', () => {
  const shares = new Shares()
  for (let i = 0; i < 3; i++) shares.take('a')
  shares.leave('a')
  expect([shares.of('a'), shares.mayTake('a', 1)]).toEqual([2, true])
  for (let i = 0; i < 2; i++) shares.leave('a')
  expect(shares.of('a')).toBe(0)
})

test('where there is no end of places, anyone may take more', () => {
  const shares = new Shares()
  for (let i = 0; i < 10_000; i++) shares.take('a')
  expect(shares.mayTake('a', Number.POSITIVE_INFINITY)).toBe(true)
})
