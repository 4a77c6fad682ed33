import { expect, test } from 'vitest'
import { Budget } from '../../../src/tunnel/bounds/budget.ts'
import {
  GROWN_WINDOW,
  GROW_AFTER_MS,
  INITIAL_WINDOW,
  QUICK_MS,
  QUICK_WINDOW,
} from '../../../src/tunnel/protocol/window-size.ts'
import { ReceiveWindow } from '../../../src/tunnel/stream/receive-window.ts'

/**
 * A sender uses up the window and says so, then waits so long for the next. @returns the windows that it was
 * given
 */
function windows(
  budget: Budget,
  waitMs: number,
  options: { isSlow?: boolean; rounds?: number } = {},
): number[] {
  const window = new ReceiveWindow(INITIAL_WINDOW, budget)
  let now = 1000
  const given: number[] = []
  for (let round = 0; round < (options.rounds ?? 8); round++) {
    const bytes = window.limit - window.received
    window.receive(1, false, now)
    window.receive(bytes - 1, true, now)
    window.consume(options.isSlow ? INITIAL_WINDOW / 2 : bytes)
    const told = window.announcement(now)
    if (told) given.push(told.limit - told.consumed)
    now += waitMs
  }
  window.release()
  return given
}

test('a window doubles each time that its sender had to wait for it, up to 4 MiB', () => {
  const budget = new Budget(2 ** 30)
  const given = windows(budget, GROW_AFTER_MS + 1)
  expect(given.slice(0, 5)).toEqual([1, 2, 4, 8, 16].map((times) => times * INITIAL_WINDOW))
  expect(Math.max(...given)).toBe(GROWN_WINDOW)
  expect(budget.used).toBe(0)
})

test('a window stays as it is on a short path', () => {
  expect(new Set(windows(new Budget(2 ** 30), GROW_AFTER_MS - 1))).toEqual(new Set([INITIAL_WINDOW]))
})

test('a window that is used up within a moment grows, up to 512 KiB', () => {
  const given = windows(new Budget(2 ** 30), QUICK_MS - 1)
  expect(given.slice(0, 2)).toEqual([INITIAL_WINDOW, QUICK_WINDOW])
  expect(Math.max(...given)).toBe(QUICK_WINDOW)
})

test('a window stays as it is for a reader that does not keep up', () => {
  const given = windows(new Budget(2 ** 30), GROW_AFTER_MS + 1, { isSlow: true, rounds: 4 })
  expect(Math.max(...given)).toBe(INITIAL_WINDOW)
})

test('all windows together grow by no more than the budget', () => {
  const given = windows(new Budget(3 * INITIAL_WINDOW), GROW_AFTER_MS + 1)
  expect(Math.max(...given)).toBe(4 * INITIAL_WINDOW)
  expect(Math.max(...windows(new Budget(0), GROW_AFTER_MS + 1))).toBe(INITIAL_WINDOW)
})

test('however large a window has grown, a sender hears of its reader that keeps no more than the least', () => {
  const window = new ReceiveWindow(INITIAL_WINDOW, new Budget(2 ** 30))
  for (let now = 1000; window.limit - window.consumed < GROWN_WINDOW; now += GROW_AFTER_MS + 1) {
    const bytes = window.limit - window.received
    window.receive(1, false, now)
    window.receive(bytes - 1, true, now)
    window.consume(bytes)
    window.announcement(now)
  }
  // All streams together keep too much: a sender waits for an answer to these bytes before it sends more.
  window.receive(INITIAL_WINDOW, true)
  window.consume(INITIAL_WINDOW)
  expect(window.announcement()).toMatchObject({ consumed: window.consumed })
})

/** Half a window, handed on at this time. @returns the size of the window that follows */
function halfAWindow(window: ReceiveWindow, at: { blocked?: boolean; now: number; unread?: number }): number {
  const bytes = INITIAL_WINDOW / 2 + (at.unread ?? 0)
  window.receive(bytes, at.blocked ?? false, at.now)
  window.consume(INITIAL_WINDOW / 2)
  const told = window.announcement(at.now)!
  return told.limit - told.consumed
}

test('to have waited for exactly as long as a short path takes is not yet too long', () => {
  for (const [waited, grows] of [
    [GROW_AFTER_MS, false],
    [GROW_AFTER_MS + 1, true],
  ] as const) {
    const window = new ReceiveWindow(INITIAL_WINDOW, new Budget(2 ** 30))
    window.receive(1, true, 1000)
    expect(halfAWindow(window, { now: 1000 + waited }) > INITIAL_WINDOW, `after ${waited} ms`).toBe(grows)
  }
})

test('a sender that was never kept waiting has not waited, however late its bytes come', () => {
  const window = new ReceiveWindow(INITIAL_WINDOW, new Budget(2 ** 30))
  window.receive(1, undefined, 1000)
  expect(halfAWindow(window, { now: 5000 })).toBe(INITIAL_WINDOW)
  // The end of one wait is not the beginning of the next.
  window.receive(1, true, 6000)
  window.receive(1, false, 6001)
  expect(halfAWindow(window, { now: 9000 })).toBe(INITIAL_WINDOW)
})

test('half a window in exactly the time that is quick is not', () => {
  for (const [ms, grows] of [
    [QUICK_MS, false],
    [QUICK_MS - 1, true],
  ] as const) {
    const window = new ReceiveWindow(INITIAL_WINDOW, new Budget(2 ** 30))
    halfAWindow(window, { now: 1000 })
    expect(halfAWindow(window, { now: 1000 + ms }) > INITIAL_WINDOW, `within ${ms} ms`).toBe(grows)
  }
})

test('a reader keeps up as long as it leaves a quarter of the window at most', () => {
  for (const [more, grows] of [
    [0, true],
    [1, false],
  ] as const) {
    const window = new ReceiveWindow(INITIAL_WINDOW, new Budget(2 ** 30))
    window.receive(1, true, 1000)
    window.consume(1)
    const size = halfAWindow(window, { now: 2000, unread: INITIAL_WINDOW / 4 + more })
    expect(size > INITIAL_WINDOW, `${more} bytes more unread`).toBe(grows)
  }
})
