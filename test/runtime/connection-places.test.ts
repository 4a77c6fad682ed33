import { expect, test } from 'vitest'
import { ConnectionPlaces } from '../../src/runtime/connection-places.ts'

test('connections of all kinds share what descriptors there are beside the reserve', () => {
  const places = new ConnectionPlaces(66)
  const [first] = [places.take(), places.take()]
  expect(places.whyFull).toBe('2 are open, as many as "ulimit -n" leaves room for (66)')
  first()
  first()
  expect([places.free, places.whyFull]).toEqual([1, undefined])
})

test('sockets that listen take their descriptors from connections, and there is room for one all the same', () => {
  const places = new ConnectionPlaces(68)
  const giveBack = places.reserve(2)
  expect(places.limit).toBe(2)
  places.reserve(10)
  expect(places.limit).toBe(1)
  places.take()
  expect(places.whyFull).toBe('1 is open, as many as "ulimit -n" leaves room for (68)')
  giveBack()
  giveBack()
  expect(places.limit).toBe(1)
})

test('no more than a quarter of all descriptors is for sockets that listen', () => {
  const places = new ConnectionPlaces(64)
  const all = Array.from({ length: 8 }, () => {
    expect(places.whyNoneToReserve).toBeUndefined()
    return places.reserve(2)
  })
  expect(places.whyNoneToReserve).toBe(
    '16 sockets listen already, as many as "ulimit -n" leaves room for (64)',
  )
  all[0]!()
  expect(places.whyNoneToReserve).toBeUndefined()
  expect(new ConnectionPlaces(Number.POSITIVE_INFINITY).whyNoneToReserve).toBeUndefined()
})
