import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { detectWake } from '../../src/runtime/wake-detection.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a sleep is noticed, and so are other addresses; nothing else is', () => {
  let [times, addresses] = [0, 'lo 127.0.0.1, eth0 10.0.0.2']
  const watch = detectWake(() => times++, { addresses: () => addresses })
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(0)
  addresses = 'lo 127.0.0.1'
  vi.advanceTimersByTime(1000)
  expect(times).toBe(1)
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(1)
  // The machine sleeps: the clock goes on, and no timer fires.
  vi.setSystemTime(Date.now() + 60_000)
  vi.advanceTimersByTime(1000)
  expect(times).toBe(2)
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(2)
  watch.stop()
  addresses = ''
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(2)
})

test('addresses that can’t be looked at are those that there were', () => {
  let [times, fails] = [0, true]
  const addresses = () => {
    if (fails) throw new Error('uv_interface_addresses returned Unknown system error 24')
    return 'lo 127.0.0.1'
  }
  const watch = detectWake(() => times++, { addresses })
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(0)
  fails = false
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(1)
  fails = true
  vi.advanceTimersByTime(10_000)
  expect(times).toBe(1)
  watch.stop()
})
