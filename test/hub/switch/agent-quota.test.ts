import { expect, test } from 'vitest'
import { AgentQuota } from '../../../src/hub/switch/agent-quota.ts'
import { MAX_GIVEN_UP } from '../../../src/tunnel/protocol/limits.ts'

test('a quota is an agent’s, of which nothing is used at first', () => {
  const quota = new AgentQuota('ada')
  expect(quota).toMatchObject({ agent: 'ada', waitingBytes: 0 })
  expect(quota.pace.hasRoom).toBe(true)
  expect(quota.hasGivenUpTooMany()).toBe(false)
})

test('a second makes up for so many streams given up, and a quiet hour for no more than all of them', () => {
  const quota = new AgentQuota('ada')
  const giveUp = (count: number, now: number) => {
    for (let turn = 0; turn < count; turn++) quota.gaveUp(now)
  }
  const start = Math.ceil(performance.now())
  giveUp(MAX_GIVEN_UP - 1, start)
  expect(quota.hasGivenUpTooMany(start)).toBe(false)
  giveUp(MAX_GIVEN_UP + 1, start)
  expect(quota.hasGivenUpTooMany(start)).toBe(true)
  expect(quota.hasGivenUpTooMany(start + 1000)).toBe(true)
  expect(quota.hasGivenUpTooMany(start + 1001)).toBe(false)
  // Half a second later than that, half of them are left.
  giveUp(1, start + 1500)
  giveUp(MAX_GIVEN_UP / 2 - 2, start + 1500)
  expect(quota.hasGivenUpTooMany(start + 1500)).toBe(false)
  giveUp(1, start + 1500)
  expect(quota.hasGivenUpTooMany(start + 1500)).toBe(true)

  const later = start + 3_600_000
  expect(quota.hasGivenUpTooMany(later)).toBe(false)
  giveUp(MAX_GIVEN_UP, later)
  expect(quota.hasGivenUpTooMany(later)).toBe(true)
})

test('what is given up counts from now on', () => {
  const quota = new AgentQuota('ada')
  for (let turn = 0; turn < 2 * MAX_GIVEN_UP; turn++) quota.gaveUp()
  expect(quota.hasGivenUpTooMany()).toBe(true)
})
