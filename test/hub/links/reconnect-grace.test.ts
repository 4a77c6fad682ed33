import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ReconnectGrace } from '../../../src/hub/links/reconnect-grace.ts'
import { OPEN_TIMEOUT_MS } from '../../../src/tunnel/protocol/limits.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

test('all agents are expected by a hub that has just begun, but for those that said goodbye', () => {
  const absences = new ReconnectGrace()
  absences.left('b')
  expect(['a', 'b'].map((agent) => absences.isExpected(agent))).toEqual([true, false])
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS)
  expect(absences.isExpected('a')).toBe(false)
})

test('agents that were lost once are not remembered for ever', () => {
  const absences = new ReconnectGrace()
  vi.advanceTimersByTime(2 * OPEN_TIMEOUT_MS)
  for (let i = 0; i < 1000; i++) {
    absences.lost(`agent ${i}`)
    absences.left(`other ${i}`)
    vi.advanceTimersByTime(OPEN_TIMEOUT_MS / 10)
  }
  expect(absences.size).toBeLessThan(20)
})

test('an agent is expected for some time after its link was lost', () => {
  const absences = new ReconnectGrace()
  vi.advanceTimersByTime(2 * OPEN_TIMEOUT_MS)
  absences.lost('a')
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS - 1)
  expect(['a', 'b'].map((agent) => absences.isExpected(agent))).toEqual([true, false])
  vi.advanceTimersByTime(1)
  expect(absences.isExpected('a')).toBe(false)
})

test('a goodbye counts while the hub has just begun, whoever is lost meanwhile', () => {
  const absences = new ReconnectGrace()
  absences.left('b')
  absences.lost('c')
  expect(['b', 'c'].map((agent) => absences.isExpected(agent))).toEqual([false, true])
  expect(absences.size).toBe(2)
})

test('once all have had their time, a goodbye is nothing to be remembered', () => {
  const absences = new ReconnectGrace()
  absences.lost('a')
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS)
  absences.left('a')
  expect(absences.size).toBe(0)
})

test('an agent is forgotten from the moment on at which it is not expected any more', () => {
  const absences = new ReconnectGrace()
  absences.lost('a')
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS - 1)
  absences.lost('b')
  expect(absences.size).toBe(2)
  vi.advanceTimersByTime(1)
  absences.lost('c')
  expect(absences.size).toBe(2)
  expect(['a', 'b', 'c'].map((agent) => absences.isExpected(agent))).toEqual([false, true, true])
})

test('an agent that is lost again and again keeps no other one from being forgotten', () => {
  const absences = new ReconnectGrace()
  absences.lost('a')
  absences.lost('b')
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS / 2)
  absences.lost('a')
  vi.advanceTimersByTime(OPEN_TIMEOUT_MS / 2)
  absences.lost('c')
  expect(absences.size).toBe(2)
})
