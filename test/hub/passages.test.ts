import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Passage, type End } from '../../src/hub/passage.ts'
import { Passages } from '../../src/hub/passages.ts'
import { STREAM_CODES } from '../../src/tunnel/codes.ts'
import { MAX_WAITING_STREAMS } from '../../src/tunnel/limits.ts'
import { noted } from '../tunnel/helpers/noted.ts'

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
  const passages = new Passages(resumeMs)
  const passage = passages.create(KEY, 'web', 'agent_of_a', 0)
  passages.attach(passage.opener, a.port, 1)
  passages.attach(passage.acceptor, b.port, 2)
  const { opener, acceptor } = passage
  return { passages, passage, opener, acceptor, a, b, link }
}

/** What is known of an end's place. */
const placeOf = ({ port, number, state, agent }: End) => ({ port, number, state, agent: agent?.id })

describe('a stream', () => {
  test('that is new has two ends, and neither is anywhere', () => {
    const { opener, acceptor, ...rest } = new Passage(KEY, 'web', 'agent_of_a', 5)
    expect(rest).toMatchObject({ key: KEY, service: 'web', from: 'agent_of_a', flags: 5, answered: false })
    for (const end of [opener, acceptor]) {
      expect(placeOf(end)).toEqual({ port: undefined, number: 0, state: 'lost', agent: undefined })
      expect([end.held, end.asked]).toEqual([false, 0])
    }
    expect([opener.other, acceptor.other]).toEqual([acceptor, opener])
    expect([opener.isOpener, acceptor.isOpener]).toEqual([true, false])
  })

  test('is found by its key until it is forgotten', () => {
    const { passages, passage } = start()
    expect([passages.size, passages.find(Buffer.from(KEY))]).toEqual([1, passage])
    expect(passages.find(Buffer.alloc(16, 2))).toBeUndefined()
    passages.forget(passage)
    expect([passages.size, passages.find(KEY)]).toEqual([0, undefined])
  })

  test('has its two ends at their links', () => {
    const { passages, opener, acceptor, a, b } = start()
    const place = (name: string, port: unknown, number: number) => ({
      port,
      number,
      state: 'flowing',
      agent: `agent_of_${name}`,
    })
    expect([opener, acceptor].map(placeOf)).toEqual([place('a', a.port, 1), place('b', b.port, 2)])
    expect([opener.process, acceptor.process]).toEqual(['agent_of_a/process', 'agent_of_b/process'])
    expect([[...a.port.ends], [...b.port.ends]]).toEqual([[[1, opener]], [[2, acceptor]]])
    expect([passages.incomplete, vi.getTimerCount()]).toEqual([[], 0])
  })

  test('flows while both of its ends do', () => {
    const { passage, opener, acceptor } = start()
    expect(passage.flows).toBe(true)
    opener.state = 'asked'
    expect(passage.flows).toBe(false)
    opener.state = 'flowing'
    acceptor.state = 'waiting'
    expect(passage.flows).toBe(false)
  })

  test('leaves its links when it is forgotten, and no timer runs for it', () => {
    const { passages, passage, acceptor, a, b } = start()
    passages.awaitAnswer(passage, 20, WHY)
    passages.lose(acceptor)
    expect(vi.getTimerCount()).toBe(2)
    passages.forget(passage)
    expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
    expect([passages.incomplete, vi.getTimerCount()]).toEqual([[], 0])
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
  })
})

describe('an OPEN', () => {
  test('waits at its link until it is answered, which counts once', () => {
    const { passages, passage, opener, a, b } = start()
    expect([a.port.pendingOpens, b.port.pendingOpens, opener.isOpening]).toEqual([1, 0, true])
    passages.awaitAnswer(passage, 20, WHY)
    for (let turn = 0; turn < 2; turn++) passages.answered(passage)
    expect([a.port.pendingOpens, opener.isOpening, vi.getTimerCount()]).toEqual([0, false, 0])
    passages.forget(passage)
    expect(a.port.pendingOpens).toBe(0)
  })

  test('that is answered while its opener is lost waits nowhere', () => {
    const { passages, passage, opener, a } = start()
    passages.lose(opener)
    passages.answered(passage)
    expect([a.port.pendingOpens, passage.answered]).toEqual([0, true])
  })

  test('that is not answered in time is over at both ends, and the time begins anew with each wait', () => {
    const { passages, passage, a, b } = start()
    passages.awaitAnswer(passage, 20, LOST)
    vi.advanceTimersByTime(19)
    passages.awaitAnswer(passage, 20, WHY)
    vi.advanceTimersByTime(19)
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
    vi.advanceTimersByTime(1)
    expect([a.link.said(), b.link.said()]).toEqual([
      [{ type: 'openErr', stream: 1, ...WHY }],
      [{ type: 'rst', stream: 2, ...WHY }],
    ])
    expect(passages.size).toBe(0)
  })
})

describe('an end that is lost', () => {
  test('has left its link, and is waited for', () => {
    const { passages, passage, opener, a } = start()
    passages.lose(opener)
    expect(placeOf(opener)).toMatchObject({ port: undefined, state: 'lost', agent: 'agent_of_a' })
    expect([a.port.ends.size, a.port.pendingOpens, passages.incomplete]).toEqual([0, 0, [passage]])
  })

  test('may come back on another link for thirty seconds, as it was before', () => {
    const { passages, passage, opener, link, a } = start()
    passages.answered(passage)
    opener.held = true
    passages.lose(opener)
    vi.advanceTimersByTime(29_999)
    const back = link('a')
    passages.attach(opener, back.port, 7)
    expect(placeOf(opener)).toMatchObject({ port: back.port, number: 7, state: 'flowing' })
    expect([opener.held, back.port.pendingOpens]).toEqual([false, 0])
    expect([passages.incomplete, vi.getTimerCount(), a.link.said()]).toEqual([[], 0, []])
  })

  test('is given up after that, and the other end is told', () => {
    const { passages, passage, acceptor, a } = start()
    passages.answered(passage)
    passages.lose(acceptor)
    vi.advanceTimersByTime(29_999)
    expect(a.link.said()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(a.link.said()).toEqual([{ type: 'rst', stream: 1, ...LOST }])
    expect(a.link.dropped).toEqual([1])
    expect([passages.size, passages.incomplete, a.port.ends.size]).toEqual([0, [], 0])
  })

  test('is waited for no longer because the other is lost too', () => {
    const { passages, opener, acceptor } = start(20)
    passages.lose(opener)
    vi.advanceTimersByTime(10)
    passages.lose(acceptor)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10)
    expect([passages.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  test('may be nobody’s from then on', () => {
    const { passages, acceptor } = start()
    passages.lose(acceptor)
    passages.disown(acceptor)
    expect([acceptor.agent, acceptor.process]).toEqual([undefined, undefined])
  })
})

describe('a stream that breaks', () => {
  test('is told at both ends, whatever they had in the queue, and is over', () => {
    const { passages, passage, a, b } = start()
    passages.answered(passage)
    passages.break(passage, WHY.code, WHY.message)
    expect([a.link.said(), b.link.said()]).toEqual([
      [{ type: 'rst', stream: 1, ...WHY }],
      [{ type: 'rst', stream: 2, ...WHY }],
    ])
    expect([a.link.dropped, b.link.dropped, passages.size]).toEqual([[1], [2], 0])
  })

  test('by an end that says so itself is told nobody, and what was queued is dropped', () => {
    const { passages, passage, a, b } = start()
    passages.broken(passage, WHY.code, WHY.message)
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
    expect([a.link.dropped, b.link.dropped, passages.size]).toEqual([[1], [2], 0])
  })

  test.for(['break', 'broken'] as const)(
    'is kept for an end that is lost, so that it hears why: %s',
    (how) => {
      const { passages, passage, acceptor, a, b } = start()
      passages.awaitAnswer(passage, 20, WHY)
      passages.lose(acceptor)
      passages[how](passage, WHY.code, WHY.message)
      expect(passage.broken).toEqual(WHY)
      expect([passages.size, a.port.ends.size, a.port.pendingOpens]).toEqual([1, 0, 0])
      // The wait for its return alone.
      expect([vi.getTimerCount(), b.link.said()]).toEqual([1, []])
      a.link.said()
      vi.advanceTimersByTime(30_000)
      expect([passages.size, a.link.said()]).toEqual([0, []])
    },
  )

  test('is not kept for an end that nobody knows', () => {
    const { passages, passage, acceptor } = start()
    passages.lose(acceptor)
    passages.disown(acceptor)
    passages.break(passage, WHY.code, WHY.message)
    expect(passages.size).toBe(0)
  })
})

describe('4,096 streams of an agent may wait for a link', () => {
  /** As many streams of a's as are lost already, but for one. */
  function almost() {
    const world = start()
    const { passages, a, b } = world
    const add = (n: number) => {
      const passage = passages.create(Buffer.alloc(16, `key ${n} `), 'web', 'agent_of_a', 0)
      passages.attach(passage.opener, a.port, 2 * n + 1)
      passages.attach(passage.acceptor, b.port, 2 * n + 2)
      passages.answered(passage)
      return passage
    }
    for (let n = 1; n < MAX_WAITING_STREAMS; n++) passages.lose(add(n).opener)
    b.link.said()
    return { ...world, add }
  }

  test('and one more is broken', () => {
    const { passages, add, b } = almost()
    const [last, more] = [add(5000), add(5001)]
    passages.lose(last.opener)
    expect(b.link.said()).toEqual([])
    passages.lose(more.opener)
    const message = 'too many streams wait for a link'
    expect(b.link.said()).toEqual([{ type: 'rst', stream: 10_004, code: STREAM_CODES.LIMIT, message }])
    expect([last.broken, more.broken]).toEqual([undefined, { code: STREAM_CODES.LIMIT, message }])
  })

  test('while those of others do not count', () => {
    const { passages, add, a } = almost()
    passages.lose(add(5000).opener)
    passages.lose(add(5001).acceptor)
    expect(a.link.said()).toEqual([])
  })

  test.for<[string, (world: ReturnType<typeof almost>) => void]>([
    ['is back', ({ passages, opener, link }) => passages.attach(opener, link('a').port, 1)],
    ['is nobody’s', ({ passages, opener }) => passages.disown(opener)],
    ['is forgotten', ({ passages, passage }) => passages.forget(passage)],
  ])('and one that %s makes room for another', ([, work]) => {
    const world = almost()
    const { passages, add, opener, b } = world
    passages.lose(opener)
    work(world)
    b.link.said()
    passages.lose(add(5000).opener)
    expect(b.link.said()).toEqual([])
  })

  test('and one that did not wait makes room for none', () => {
    const { passages, passage, add, b } = almost()
    passages.lose(add(5000).opener)
    passages.forget(passage)
    b.link.said()
    passages.lose(add(5001).opener)
    expect(b.link.said()).toHaveLength(1)
  })
})
