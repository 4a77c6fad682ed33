import { expect, test } from 'vitest'
import { Account } from '../../../src/hub/switch/model.ts'
import type { SwitchPort } from '../../../src/hub/switch/model.ts'
import { MAX_GIVEN_UP } from '../../../src/tunnel/protocol/limits.ts'

function portWith(backlog: number): SwitchPort {
  return { link: { backlog } } as SwitchPort
}

test('an account is an agent’s, and begins with nothing', () => {
  const account = new Account('ada')
  expect(account).toMatchObject({ agent: 'ada', waiting: 0, ports: new Set() })
  expect(account.pace.hasRoom).toBe(true)
  expect(account.largestPort).toBeUndefined()
  expect(account.isOverQuota()).toBe(false)
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
    for (let turn = 0; turn < count; turn++) account.abandoned(now)
  }
  const start = Math.ceil(performance.now())
  giveUp(MAX_GIVEN_UP - 1, start)
  expect(account.isOverQuota(start)).toBe(false)
  giveUp(MAX_GIVEN_UP + 1, start)
  expect(account.isOverQuota(start)).toBe(true)
  expect(account.isOverQuota(start + 1000)).toBe(true)
  expect(account.isOverQuota(start + 1001)).toBe(false)
  // Half a second later than that, half of them are left.
  giveUp(1, start + 1500)
  giveUp(MAX_GIVEN_UP / 2 - 2, start + 1500)
  expect(account.isOverQuota(start + 1500)).toBe(false)
  giveUp(1, start + 1500)
  expect(account.isOverQuota(start + 1500)).toBe(true)

  const later = start + 3_600_000
  expect(account.isOverQuota(later)).toBe(false)
  giveUp(MAX_GIVEN_UP, later)
  expect(account.isOverQuota(later)).toBe(true)
})

test('what is given up counts from now on', () => {
  const account = new Account('ada')
  for (let turn = 0; turn < 2 * MAX_GIVEN_UP; turn++) account.abandoned()
  expect(account.isOverQuota()).toBe(true)
})
