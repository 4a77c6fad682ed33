import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { RelayedStream, type Endpoint } from '../../../src/hub/switch/relayed-stream.ts'
import { RelayedStreams } from '../../../src/hub/switch/relayed-streams.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { MAX_LOST_STREAMS } from '../../../src/tunnel/protocol/limits.ts'
import { noted } from '../../tunnel/helpers/noted.ts'

const KEY = Buffer.alloc(16, 1)
const LOST = { code: STREAM_CODES.LINK_LOST, message: 'the other agent’s link was lost' }
const WHY = { code: STREAM_CODES.PEER_RESET, message: 'why' }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
})

/** All streams, two links, and one stream between them that nobody has answered: 1 at a, 2 at b. */
function start(resumeMs?: number) {
  const { a, b, link } = noted()
  const streams = new RelayedStreams(resumeMs)
  const stream = streams.create(KEY, 'web', 'agent_of_a', 0)
  streams.attach(stream.opener, a.port, 1)
  streams.attach(stream.acceptor, b.port, 2)
  const { opener, acceptor } = stream
  return { streams, stream, opener, acceptor, a, b, link }
}

const lostOf = (streams: RelayedStreams) =>
  ['agent_of_a', 'agent_of_b'].flatMap((agent) => [...streams.lostOf(agent)])

/** What is known of an end's place. */
const placeOf = ({ port, number, state, agent }: Endpoint) => ({ port, number, state, agent: agent?.id })

describe('a stream', () => {
  test('that is new has two ends, and neither is anywhere', () => {
    const { opener, acceptor, ...rest } = new RelayedStream(KEY, 'web', 'agent_of_a', 5)
    expect(rest).toMatchObject({ key: KEY, service: 'web', from: 'agent_of_a', flags: 5, answered: false })
    for (const end of [opener, acceptor]) {
      expect(placeOf(end)).toEqual({ port: undefined, number: 0, state: 'lost', agent: undefined })
      expect([end.held, end.asked]).toEqual([false, 0])
    }
    expect([opener.other, acceptor.other]).toEqual([acceptor, opener])
    expect([opener.isOpener, acceptor.isOpener]).toEqual([true, false])
  })

  test('is found by its key until it is forgotten', () => {
    const { streams, stream } = start()
    expect([streams.size, streams.find(Buffer.from(KEY))]).toEqual([1, stream])
    expect(streams.find(Buffer.alloc(16, 2))).toBeUndefined()
    streams.forget(stream)
    expect([streams.size, streams.find(KEY)]).toEqual([0, undefined])
  })

  test('has its two ends at their links', () => {
    const { streams, opener, acceptor, a, b } = start()
    const place = (name: string, port: unknown, number: number) => ({
      port,
      number,
      state: 'flowing',
      agent: `agent_of_${name}`,
    })
    expect([opener, acceptor].map(placeOf)).toEqual([place('a', a.port, 1), place('b', b.port, 2)])
    expect([opener.process, acceptor.process]).toEqual(['agent_of_a/process', 'agent_of_b/process'])
    expect([[...a.port.ends], [...b.port.ends]]).toEqual([[[1, opener]], [[2, acceptor]]])
    expect([lostOf(streams), vi.getTimerCount()]).toEqual([[], 0])
  })

  test('flows while both of its ends do', () => {
    const { stream, opener, acceptor } = start()
    expect(stream.flows).toBe(true)
    opener.state = 'asked'
    expect(stream.flows).toBe(false)
    opener.state = 'flowing'
    acceptor.state = 'returned'
    expect(stream.flows).toBe(false)
  })

  test('leaves its links when it is forgotten, and no timer runs for it', () => {
    const { streams, stream, acceptor, a, b } = start()
    streams.awaitAnswer(stream, 20, WHY)
    streams.suspend(acceptor)
    expect(vi.getTimerCount()).toBe(2)
    streams.forget(stream)
    expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
    expect([lostOf(streams), vi.getTimerCount()]).toEqual([[], 0])
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
  })
})

test('a stream counts as its opener’s at the link of the acceptor alone, while its end is there', () => {
  const { streams, stream, opener, acceptor, a, b } = start()
  // Another one, which stays: no count ends at 0 for want of anything to take from.
  const other = streams.create(Buffer.alloc(16, 2), 'web', 'agent_of_a', 0)
  streams.attach(other.acceptor, b.port, 4)
  a.port.openers.acquire('agent_of_a')
  const counts = () => [a, b].map(({ port }) => port.openers.of('agent_of_a'))
  expect(counts()).toEqual([1, 2])
  streams.suspend(opener)
  streams.suspend(acceptor)
  expect(counts()).toEqual([1, 1])
  streams.attach(opener, a.port, 3)
  streams.attach(acceptor, b.port, 6)
  expect(counts()).toEqual([1, 2])
  streams.forget(stream)
  expect(counts()).toEqual([1, 1])
})

describe('an OPEN', () => {
  test('waits at its link until it is answered, which counts once', () => {
    const { streams, stream, opener, a, b } = start()
    expect([a.port.pendingOpens, b.port.pendingOpens, opener.isOpening]).toEqual([1, 0, true])
    streams.awaitAnswer(stream, 20, WHY)
    for (let turn = 0; turn < 2; turn++) streams.answered(stream)
    expect([a.port.pendingOpens, opener.isOpening, vi.getTimerCount()]).toEqual([0, false, 0])
    streams.forget(stream)
    expect(a.port.pendingOpens).toBe(0)
  })

  test('that is answered while its opener is lost waits nowhere', () => {
    const { streams, stream, opener, a } = start()
    streams.suspend(opener)
    streams.answered(stream)
    expect([a.port.pendingOpens, stream.answered]).toEqual([0, true])
  })

  test('that is not answered in time is over at both ends, and the time begins anew with each wait', () => {
    const { streams, stream, a, b } = start()
    streams.awaitAnswer(stream, 20, LOST)
    vi.advanceTimersByTime(19)
    streams.awaitAnswer(stream, 20, WHY)
    vi.advanceTimersByTime(19)
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
    vi.advanceTimersByTime(1)
    expect([a.link.said(), b.link.said()]).toEqual([
      [{ type: 'openErr', stream: 1, ...WHY }],
      [{ type: 'rst', stream: 2, ...WHY }],
    ])
    expect(streams.size).toBe(0)
  })
})

describe('an end that is lost', () => {
  test('has left its link, and is waited for', () => {
    const { streams, opener, a } = start()
    streams.suspend(opener)
    expect(placeOf(opener)).toMatchObject({ port: undefined, state: 'lost', agent: 'agent_of_a' })
    expect([a.port.ends.size, a.port.pendingOpens, lostOf(streams)]).toEqual([0, 0, [opener]])
  })

  test('may come back on another link for thirty seconds, as it was before', () => {
    const { streams, stream, opener, link, a } = start()
    streams.answered(stream)
    opener.held = true
    streams.suspend(opener)
    vi.advanceTimersByTime(29_999)
    const back = link('a')
    streams.attach(opener, back.port, 7)
    expect(placeOf(opener)).toMatchObject({ port: back.port, number: 7, state: 'flowing' })
    expect([opener.held, back.port.pendingOpens]).toEqual([false, 0])
    expect([lostOf(streams), vi.getTimerCount(), a.link.said()]).toEqual([[], 0, []])
  })

  test('is given up after that, and the other end is told', () => {
    const { streams, stream, acceptor, a } = start()
    streams.answered(stream)
    streams.suspend(acceptor)
    vi.advanceTimersByTime(29_999)
    expect(a.link.said()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(a.link.said()).toEqual([{ type: 'rst', stream: 1, ...LOST }])
    expect(a.link.dropped).toEqual([1])
    expect([streams.size, lostOf(streams), a.port.ends.size]).toEqual([0, [], 0])
  })

  test('is waited for no longer because the other is lost too', () => {
    const { streams, opener, acceptor } = start(20)
    streams.suspend(opener)
    vi.advanceTimersByTime(10)
    streams.suspend(acceptor)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10)
    expect([streams.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  test('may be nobody’s from then on', () => {
    const { streams, acceptor } = start()
    streams.suspend(acceptor)
    streams.disown(acceptor)
    expect([acceptor.agent, acceptor.process]).toEqual([undefined, undefined])
  })
})

describe('a stream that is reset', () => {
  test('is told at both ends, whatever they had in the queue, and is over', () => {
    const { streams, stream, a, b } = start()
    streams.answered(stream)
    streams.reset(stream, WHY.code, WHY.message)
    expect([a.link.said(), b.link.said()]).toEqual([
      [{ type: 'rst', stream: 1, ...WHY }],
      [{ type: 'rst', stream: 2, ...WHY }],
    ])
    expect([a.link.dropped, b.link.dropped, streams.size]).toEqual([[1], [2], 0])
  })

  test('by an end that says so itself is told nobody, and what was queued is dropped', () => {
    const { streams, stream, a, b } = start()
    streams.onReset(stream, WHY.code, WHY.message)
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
    expect([a.link.dropped, b.link.dropped, streams.size]).toEqual([[1], [2], 0])
  })

  test.for(['reset', 'onReset'] as const)(
    'is kept for an end that is lost, so that it hears why: %s',
    (how) => {
      const { streams, stream, acceptor, a, b } = start()
      streams.awaitAnswer(stream, 20, WHY)
      streams.suspend(acceptor)
      streams[how](stream, WHY.code, WHY.message)
      expect(stream.pendingReset).toEqual(WHY)
      expect([streams.size, a.port.ends.size, a.port.pendingOpens]).toEqual([1, 0, 0])
      // The wait for its return alone.
      expect([vi.getTimerCount(), b.link.said()]).toEqual([1, []])
      a.link.said()
      vi.advanceTimersByTime(30_000)
      expect([streams.size, a.link.said()]).toEqual([0, []])
    },
  )

  test('is not kept for an end that nobody knows', () => {
    const { streams, stream, acceptor } = start()
    streams.suspend(acceptor)
    streams.disown(acceptor)
    streams.reset(stream, WHY.code, WHY.message)
    expect(streams.size).toBe(0)
  })
})

describe('4,096 streams of an agent may wait for a link', () => {
  /** As many streams of a's as are lost already, but for one. */
  function almost() {
    const world = start()
    const { streams, a, b } = world
    const add = (n: number) => {
      const stream = streams.create(Buffer.alloc(16, `key ${n} `), 'web', 'agent_of_a', 0)
      streams.attach(stream.opener, a.port, 2 * n + 1)
      streams.attach(stream.acceptor, b.port, 2 * n + 2)
      streams.answered(stream)
      return stream
    }
    for (let n = 1; n < MAX_LOST_STREAMS; n++) streams.suspend(add(n).opener)
    b.link.said()
    return { ...world, add }
  }

  test('and one more is reset', () => {
    const { streams, add, b } = almost()
    const [last, more] = [add(5000), add(5001)]
    streams.suspend(last.opener)
    expect(b.link.said()).toEqual([])
    streams.suspend(more.opener)
    const message = 'too many streams wait for a link'
    expect(b.link.said()).toEqual([{ type: 'rst', stream: 10_004, code: STREAM_CODES.LIMIT, message }])
    expect([last.pendingReset, more.pendingReset]).toEqual([undefined, { code: STREAM_CODES.LIMIT, message }])
  })

  test('while those of others do not count', () => {
    const { streams, add, a } = almost()
    streams.suspend(add(5000).opener)
    streams.suspend(add(5001).acceptor)
    expect(a.link.said()).toEqual([])
  })

  test.for<[string, (world: ReturnType<typeof almost>) => void]>([
    ['is back', ({ streams, opener, link }) => streams.attach(opener, link('a').port, 1)],
    ['is nobody’s', ({ streams, opener }) => streams.disown(opener)],
    ['is forgotten', ({ streams, stream }) => streams.forget(stream)],
  ])('and one that %s makes room for another', ([, work]) => {
    const world = almost()
    const { streams, add, opener, b } = world
    streams.suspend(opener)
    work(world)
    b.link.said()
    streams.suspend(add(5000).opener)
    expect(b.link.said()).toEqual([])
  })

  test('and one that did not wait makes room for none', () => {
    const { streams, stream, add, b } = almost()
    streams.suspend(add(5000).opener)
    streams.forget(stream)
    b.link.said()
    streams.suspend(add(5001).opener)
    expect(b.link.said()).toHaveLength(1)
  })
})
