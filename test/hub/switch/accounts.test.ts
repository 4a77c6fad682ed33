import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Accounts } from '../../../src/hub/switch/accounts.ts'
import type { Account } from '../../../src/hub/switch/model.ts'
import type { SwitchPort } from '../../../src/hub/switch/model.ts'
import { AGENT_BACKLOG_MAX_BYTES, HUB_BACKLOG_MAX_BYTES } from '../../../src/tunnel/protocol/limits.ts'

/** A link that the account is told of. */
function linked(account: Account): SwitchPort {
  const port = { account } as SwitchPort
  account.ports.add(port)
  return port
}

test('an agent has one account', () => {
  const accounts = new Accounts({})
  expect(accounts.of('ada').agent).toBe('ada')
  expect(accounts.of('ada')).toBe(accounts.of('ada'))
  expect(accounts.of('bob')).not.toBe(accounts.of('ada'))
})

describe('an account', () => {
  function keptFor(ms: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const accounts = new Accounts({})
    const account = accounts.of('ada')
    accounts.remove(linked(account))
    expect(account.ports.size).toBe(0)
    vi.advanceTimersByTime(ms)
    return { accounts, account }
  }

  test('is kept for two seconds without a link', () => {
    const { accounts, account } = keptFor(1999)
    expect(accounts.of('ada')).toBe(account)
    vi.advanceTimersByTime(1)
    expect(accounts.of('ada')).not.toBe(account)
  })

  test('stays when a link comes meanwhile', () => {
    const { accounts, account } = keptFor(1999)
    linked(account)
    vi.advanceTimersByTime(10_000)
    expect(accounts.of('ada')).toBe(account)
  })

  test('stays while there is another link', () => {
    const accounts = new Accounts({})
    const account = accounts.of('ada')
    const [one, other] = [linked(account), linked(account)]
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    accounts.remove(one)
    expect(vi.getTimerCount()).toBe(0)
    expect([...account.ports]).toEqual([other])
  })

  test('is kept as long again for a link that has come and gone meanwhile', () => {
    const { accounts, account } = keptFor(1000)
    accounts.remove(linked(account))
    vi.advanceTimersByTime(1999)
    expect(accounts.of('ada')).toBe(account)
    vi.advanceTimersByTime(1)
    expect(accounts.of('ada')).not.toBe(account)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('who has to let go', () => {
  const limits = { agentBacklogMaxBytes: 100, backlogMaxBytes: 150 }

  test('is nobody who has no more than he may, while it is not too much in all', () => {
    const accounts = new Accounts(limits)
    accounts.changed(linked(accounts.of('ada')), 100)
    accounts.changed(linked(accounts.of('bob')), 50)
    expect(accounts.debtor).toBeUndefined()
  })

  test('is whoever has more, until he has no more', () => {
    const accounts = new Accounts(limits)
    const [ada, bob] = [linked(accounts.of('ada')), linked(accounts.of('bob'))]
    accounts.changed(ada, 60)
    accounts.changed(linked(ada.account), 41)
    expect(ada.account.waiting).toBe(101)
    accounts.changed(bob, 1)
    expect(accounts.debtor).toBe(ada.account)
    expect(accounts.debtor).toBe(ada.account)
    accounts.changed(ada, -1)
    expect(accounts.debtor).toBeUndefined()
    accounts.changed(ada, 1)
    expect(accounts.debtor).toBe(ada.account)
  })

  test('is still he when another has just as much as he may', () => {
    const accounts = new Accounts({ ...limits, backlogMaxBytes: 1000 })
    const [ada, bob] = [linked(accounts.of('ada')), linked(accounts.of('bob'))]
    accounts.changed(ada, 101)
    accounts.changed(bob, 100)
    expect(accounts.debtor).toBe(ada.account)
  })

  test('is whoever has more than he may, and not whoever has most', () => {
    const accounts = new Accounts({ ...limits, backlogMaxBytes: 0 })
    const [ada, bob] = [linked(accounts.of('ada')), linked(accounts.of('bob'))]
    accounts.changed(bob, 102)
    accounts.changed(ada, 101)
    expect(accounts.debtor).toBe(ada.account)
  })

  test('is the first of those who have most, if it is too much in all', () => {
    const accounts = new Accounts(limits)
    for (const [agent, bytes] of [
      ['ada', 40],
      ['bob', 50],
      ['eve', 50],
    ] as const)
      accounts.changed(linked(accounts.of(agent)), bytes)
    expect(accounts.debtor).toBeUndefined()
    accounts.changed(linked(accounts.of('zoe')), 11)
    expect(accounts.debtor).toBe(accounts.of('bob'))
  })

  test('is told by the hub’s own limits if none are set', () => {
    const accounts = new Accounts({})
    const one = linked(accounts.of('ada'))
    accounts.changed(one, AGENT_BACKLOG_MAX_BYTES)
    expect(accounts.debtor).toBeUndefined()
    accounts.changed(one, 1)
    expect(accounts.debtor).toBe(one.account)
    accounts.changed(one, -1)
    for (let all = AGENT_BACKLOG_MAX_BYTES; all < HUB_BACKLOG_MAX_BYTES; all += AGENT_BACKLOG_MAX_BYTES)
      accounts.changed(linked(accounts.of(`agent ${all}`)), AGENT_BACKLOG_MAX_BYTES)
    expect(accounts.debtor).toBeUndefined()
    accounts.changed(linked(accounts.of('bob')), 1)
    expect(accounts.debtor).toBe(one.account)
  })
})
