import { expect, test } from 'vitest'
import { FairShares } from '../../../src/tunnel/bounds/fair-shares.ts'

/** Has them take as many as they may, one after the other. @returns how many each has */
function takeAll(places: number, who: readonly string[]): number[] {
  const shares = new FairShares()
  let free = places
  for (let someone = true; someone;) {
    someone = false
    for (const one of who) {
      if (!shares.mayAcquire(one, free)) continue
      shares.acquire(one)
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
  const shares = new FairShares()
  expect(shares.mayAcquire('new', 1)).toBe(true)
  expect(shares.mayAcquire('new', 0)).toBe(false)
  for (let i = 0; i < 3; i++) shares.acquire('old')
  expect(shares.mayAcquire('old', 1)).toBe(false)
  expect(shares.mayAcquire('old', 2)).toBe(true)
})

test('what is given back may be taken again', () => {
  const shares = new FairShares()
  for (let i = 0; i < 3; i++) shares.acquire('a')
  shares.release('a')
  expect([shares.of('a'), shares.mayAcquire('a', 1)]).toEqual([2, true])
  for (let i = 0; i < 2; i++) shares.release('a')
  expect(shares.of('a')).toBe(0)
})

test('where there is no end of places, anyone may take more', () => {
  const shares = new FairShares()
  for (let i = 0; i < 10_000; i++) shares.acquire('a')
  expect(shares.mayAcquire('a', Number.POSITIVE_INFINITY)).toBe(true)
})
