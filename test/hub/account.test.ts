import { expect, test } from 'vitest'
import { Account } from '../../src/hub/account.ts'
import type { SwitchPort } from '../../src/hub/switch-port.ts'
import { MAX_GIVEN_UP } from '../../src/tunnel/limits.ts'

function portWith(backlog: number): SwitchPort {
  return { link: { backlog } } as SwitchPort
}

test('an account is an agent’s, and begins with nothing', () => {
  const account = new Account('ada')
  expect(account).toMatchObject({ agent: 'ada', waiting: 0, ports: new Set() })
  expect(account.pace.hasRoom).toBe(true)
  expect(account.largestPort).toBeUndefined()
  expect(account.givesUpTooMuch()).toBe(false)
})

test('the largest link is the first for which most waits', () => {
  const account = new Account('ada')
  account.ports.add(portWith(0))
  expect(account.largestPort).toBeUndefined()
  const [some, most, asMuch] = [portWith(1), portWith(3), portWith(3)]
  for (const port of [some, most, asMuch, portWith(2)]) account.ports.add(port)
  expect(account.largestPort).toBe(most)
})

test('a second makes up for so many streams given up, and a quiet hour for no more than all of them', () => {
  const account = new Account('ada')
  const giveUp = (count: number, now: number) => {
    for (let turn = 0; turn < count; turn++) account.gaveUp(now)
  }
  const start = Math.ceil(performance.now())
  giveUp(MAX_GIVEN_UP - 1, start)
  expect(account.givesUpTooMuch(start)).toBe(false)
  giveUp(MAX_GIVEN_UP + 1, start)
  expect(account.givesUpTooMuch(start)).toBe(true)
  expect(account.givesUpTooMuch(start + 1000)).toBe(true)
  expect(account.givesUpTooMuch(start + 1001)).toBe(false)
  // Half a second later than that, half of them are left.
  giveUp(1, start + 1500)
  giveUp(MAX_GIVEN_UP / 2 - 2, start + 1500)
  expect(account.givesUpTooMuch(start + 1500)).toBe(false)
  giveUp(1, start + 1500)
  expect(account.givesUpTooMuch(start + 1500)).toBe(true)

  const later = start + 3_600_000
  expect(account.givesUpTooMuch(later)).toBe(false)
  giveUp(MAX_GIVEN_UP, later)
  expect(account.givesUpTooMuch(later)).toBe(true)
})

test('what is given up counts from now on', () => {
  const account = new Account('ada')
  for (let turn = 0; turn < 2 * MAX_GIVEN_UP; turn++) account.gaveUp()
  expect(account.givesUpTooMuch()).toBe(true)
})
