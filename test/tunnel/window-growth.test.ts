import { expect, test } from 'vitest'
import { Budget } from '../../src/tunnel/budget.ts'
import {
  GROW_AFTER_MS,
  GROWN_WINDOW,
  INITIAL_WINDOW,
  QUICK_MS,
  QUICK_WINDOW,
} from '../../src/tunnel/limits.ts'
import { ReceiveWindow } from '../../src/tunnel/receive-window.ts'

/** A sender uses up the window and says so, then waits so long for the next. @returns the windows that it was given */
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

test('a window that is used up within a moment grows, up to 384 KiB', () => {
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
