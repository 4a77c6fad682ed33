import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { AgentQuotas } from '../../../src/hub/switch/agent-quotas.ts'
import type { SwitchPort } from '../../../src/hub/switch/switch-port.ts'
import { AGENT_BACKLOG_MAX_BYTES, HUB_BACKLOG_MAX_BYTES } from '../../../src/tunnel/protocol/limits.ts'

/** A link of an agent, with so much that waits for the link itself. */
function linked(quotas: AgentQuotas, agent: string, backlog = 1): SwitchPort {
  const port = { quota: quotas.of(agent), link: { backlog } } as SwitchPort
  quotas.add(port)
  return port
}

test('an agent has one quota', () => {
  const quotas = new AgentQuotas({})
  expect(quotas.of('ada').agent).toBe('ada')
  expect(quotas.of('ada')).toBe(quotas.of('ada'))
  expect(quotas.of('bob')).not.toBe(quotas.of('ada'))
})

describe('a quota', () => {
  function keptFor(ms: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const quotas = new AgentQuotas({})
    const quota = quotas.of('ada')
    const port = linked(quotas, 'ada')
    quotas.remove(port)
    vi.advanceTimersByTime(ms)
    return { quotas, quota, port }
  }

  test('is kept for two seconds without a link', () => {
    const { quotas, quota } = keptFor(1999)
    expect(quotas.of('ada')).toBe(quota)
    vi.advanceTimersByTime(1)
    expect(quotas.of('ada')).not.toBe(quota)
  })

  test('stays when a link comes meanwhile', () => {
    const { quotas, quota } = keptFor(1999)
    linked(quotas, 'ada')
    vi.advanceTimersByTime(10_000)
    expect(quotas.of('ada')).toBe(quota)
  })

  test('stays while there is another link', () => {
    const quotas = new AgentQuotas({ agentBacklogMaxBytes: 0 })
    const [one, other] = [linked(quotas, 'ada', 2), linked(quotas, 'ada', 1)]
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    quotas.remove(one)
    expect(vi.getTimerCount()).toBe(0)
    quotas.changed(other, 1)
    expect(quotas.portToShed).toBe(other)
  })

  test('is kept as long again for a link that has come and gone meanwhile', () => {
    const { quotas, quota } = keptFor(1000)
    quotas.remove(linked(quotas, 'ada'))
    vi.advanceTimersByTime(1999)
    expect(quotas.of('ada')).toBe(quota)
    vi.advanceTimersByTime(1)
    expect(quotas.of('ada')).not.toBe(quota)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is the agent’s next one stays when a link of long ago is removed again', () => {
    const { quotas, port } = keptFor(2000)
    const next = quotas.of('ada')
    linked(quotas, 'ada')
    quotas.remove(port)
    vi.advanceTimersByTime(10_000)
    expect(quotas.of('ada')).toBe(next)
  })

  test('that has no link yet stays, too, and a link of long ago may be removed when there is none', () => {
    const { quotas, port } = keptFor(2000)
    quotas.remove(port)
    const next = quotas.of('ada')
    quotas.remove(port)
    vi.advanceTimersByTime(10_000)
    expect(quotas.of('ada')).toBe(next)
  })
})

describe('the link to relieve', () => {
  const limits = { agentBacklogMaxBytes: 100, backlogMaxBytes: 150 }

  test('is none while no agent has more than it may, and all together have not too much', () => {
    const quotas = new AgentQuotas(limits)
    quotas.changed(linked(quotas, 'ada'), 100)
    quotas.changed(linked(quotas, 'bob'), 50)
    expect(quotas.portToShed).toBeUndefined()
  })

  test('is of the agent that has more than it may, until that is so no more', () => {
    const quotas = new AgentQuotas(limits)
    const [ada, bob] = [linked(quotas, 'ada'), linked(quotas, 'bob')]
    quotas.changed(ada, 60)
    quotas.changed(linked(quotas, 'ada'), 41)
    expect(ada.quota.waitingBytes).toBe(101)
    quotas.changed(bob, 1)
    expect(quotas.portToShed).toBe(ada)
    expect(quotas.portToShed).toBe(ada)
    quotas.changed(ada, -1)
    expect(quotas.portToShed).toBeUndefined()
    quotas.changed(ada, 1)
    expect(quotas.portToShed).toBe(ada)
  })

  test('is still of that agent when another has just as much as it may', () => {
    const quotas = new AgentQuotas({ ...limits, backlogMaxBytes: 1000 })
    const [ada, bob] = [linked(quotas, 'ada'), linked(quotas, 'bob')]
    quotas.changed(ada, 101)
    quotas.changed(bob, 100)
    expect(quotas.portToShed).toBe(ada)
  })

  test('is of the agent that has come to more than it may last, and not of the one that has most', () => {
    const quotas = new AgentQuotas({ ...limits, backlogMaxBytes: 0 })
    const [ada, bob] = [linked(quotas, 'ada'), linked(quotas, 'bob')]
    quotas.changed(bob, 102)
    quotas.changed(ada, 101)
    expect(quotas.portToShed).toBe(ada)
  })

  test('is of the first agent of those that have most, if all together have too much', () => {
    const quotas = new AgentQuotas(limits)
    const ports = ['ada', 'bob', 'eve'].map((agent) => linked(quotas, agent))
    for (const [at, bytes] of [40, 50, 50].entries()) quotas.changed(ports[at]!, bytes)
    expect(quotas.portToShed).toBeUndefined()
    quotas.changed(linked(quotas, 'zoe'), 11)
    expect(quotas.portToShed).toBe(ports[1])
  })

  test('is told by the hub’s own limits if none are set', () => {
    const quotas = new AgentQuotas({})
    const one = linked(quotas, 'ada')
    quotas.changed(one, AGENT_BACKLOG_MAX_BYTES)
    expect(quotas.portToShed).toBeUndefined()
    quotas.changed(one, 1)
    expect(quotas.portToShed).toBe(one)
    quotas.changed(one, -1)
    for (let all = AGENT_BACKLOG_MAX_BYTES; all < HUB_BACKLOG_MAX_BYTES; all += AGENT_BACKLOG_MAX_BYTES)
      quotas.changed(linked(quotas, `agent ${all}`), AGENT_BACKLOG_MAX_BYTES)
    expect(quotas.portToShed).toBeUndefined()
    quotas.changed(linked(quotas, 'bob'), 1)
    expect(quotas.portToShed).toBe(one)
  })

  test('is the first of those for which most waits, and none for which nothing waits', () => {
    const quotas = new AgentQuotas({ agentBacklogMaxBytes: 0 })
    quotas.changed(linked(quotas, 'ada', 0), 1)
    expect(quotas.portToShed).toBeUndefined()
    const ports = [1, 3, 3, 2].map((backlog) => linked(quotas, 'ada', backlog))
    expect(quotas.portToShed).toBe(ports[1])
  })
})
