import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Semaphore } from '../../src/runtime/semaphore.ts'

test('those beyond the places wait, and come in the order in which they asked', async () => {
  const places = new Semaphore(2)
  const came: number[] = []
  for (const number of [1, 2, 3, 4]) void places.acquire().then(() => came.push(number))
  await turn()
  expect(came).toEqual([1, 2])
  places.release()
  await turn()
  expect(came).toEqual([1, 2, 3])
  for (let i = 0; i < 3; i++) places.release()
  await turn()
  expect(came).toEqual([1, 2, 3, 4])
  // All have left: there is room for two again.
  for (const number of [5, 6, 7]) void places.acquire().then(() => came.push(number))
  await turn()
  expect(came).toEqual([1, 2, 3, 4, 5, 6])
})
