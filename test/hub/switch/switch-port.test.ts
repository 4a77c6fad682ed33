import { expect, test } from 'vitest'
import { AgentQuota } from '../../../src/hub/switch/agent-quota.ts'
import { RelayedStream, type Endpoint } from '../../../src/hub/switch/relayed-stream.ts'
import { SwitchPort } from '../../../src/hub/switch/switch-port.ts'
import type { Link } from '../../../src/tunnel/link/link.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import type { Role } from '../../../src/tunnel/protocol/handshake.ts'
import { MAX_STREAMS, SHARE_OF_FREE } from '../../../src/tunnel/protocol/limits.ts'
import { NotedLink } from '../../tunnel/helpers/noted.ts'

function start(role: Role = 'agent') {
  const link = new NotedLink()
  const agent = { id: 'agent_of_a', workspace: 'default' }
  const quota = new AgentQuota(agent.id)
  const port = new SwitchPort(link as unknown as Link, agent, quota, { link: 'process', role })
  return { port, link, agent, quota }
}

test('a link’s place is its agent’s, and nothing has happened there', () => {
  const { port, link, agent, quota } = start()
  const { ends, strays, pendingOpens, isReady } = port
  expect([port.link, port.agent, port.quota]).toEqual([link, agent, quota])
  expect({ strays, pendingOpens, isReady, full: port.whyFullFor('anyone'), size: ends.size }).toEqual({
    strays: 0,
    pendingOpens: 0,
    isReady: false,
    full: undefined,
    size: 0,
  })
})

test('a process has its agent’s name and its own, and only an agent’s serves', () => {
  expect(start().port).toMatchObject({ process: 'agent_of_a/process', isServing: true })
  expect(start('client').port.isServing).toBe(false)
})

test('it is full with 1,024 streams, when its link is behind, or for who has three times what is left', () => {
  const { port, link } = start()
  for (let number = 1; number < MAX_STREAMS; number++) port.ends.set(number, {} as Endpoint)
  for (let taken = 0; taken < SHARE_OF_FREE - 1; taken++) port.openers.acquire('greedy')
  expect(port.whyFullFor('greedy')).toBeUndefined()
  port.openers.acquire('greedy')
  expect(port.whyFullFor('greedy')).toBe(
    'this machine has 3 of 1024 streams of the service’s agent; the rest is for others',
  )
  expect(port.whyFullFor('other')).toBeUndefined()
  port.ends.set(0, {} as Endpoint)
  expect(port.whyFullFor('other')).toBe('the service’s agent has 1024 streams open')
  port.ends.delete(0)
  link.isBehind = true
  expect(port.whyFullFor('other')).toBe('the link of the service’s agent is too far behind')
})

test('it gives out the hub’s numbers, but for those in use', () => {
  const { port } = start()
  port.ends.set(4, {} as Endpoint)
  expect([port.nextNumber(), port.nextNumber()]).toEqual([2, 6])
})

test('a stream that was never opened is refused, and one that was is reset', () => {
  const { port, link } = start()
  port.refuse(1, true, STREAM_CODES.LIMIT, 'no')
  port.refuse(3, false, STREAM_CODES.LIMIT, 'no more')
  expect(link.said()).toEqual([
    { type: 'openErr', stream: 1, code: STREAM_CODES.LIMIT, message: 'no' },
    { type: 'rst', stream: 3, code: STREAM_CODES.LIMIT, message: 'no more' },
  ])
})

test('an end is found by its number while it is there, and counts as opening or as its opener’s', () => {
  const { port } = start()
  port.openers.acquire('ada')
  const { opener, acceptor } = new RelayedStream(Buffer.alloc(16), 'web', 'ada', 0)
  const state = () => [[...port.ends], port.pendingOpens, port.openers.of('ada')]
  opener.number = 1
  port.attach(opener)
  expect(state()).toEqual([[[1, opener]], 1, 1])
  acceptor.number = 2
  port.attach(acceptor)
  const both = [
    [1, opener],
    [2, acceptor],
  ]
  expect(state()).toEqual([both, 1, 2])
  port.detach(acceptor)
  expect(state()).toEqual([[[1, opener]], 1, 1])
  port.detach(opener)
  expect(state()).toEqual([[], 0, 1])
})

test('an end counts as opening until it was answered', () => {
  const { port } = start()
  port.pendingOpens = 1
  const stream = new RelayedStream(Buffer.alloc(16), 'web', 'ada', 0)
  port.attach(stream.opener)
  port.answered()
  stream.answered = true
  expect(port.pendingOpens).toBe(1)
  port.detach(stream.opener)
  port.attach(stream.opener)
  expect(port.pendingOpens).toBe(1)
})
