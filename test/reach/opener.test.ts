import { expect, onTestFinished, test, vi } from 'vitest'
import type { HubLink } from '../../src/hub-client/link/hub-link.ts'
import { Opener, type Opening, type Queue } from '../../src/reach/opener.ts'
import { STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'
import { MAX_PENDING_OPENS, MAX_STREAMS } from '../../src/tunnel/protocol/limits.ts'
import type { Stream } from '../../src/tunnel/stream/stream.ts'

/** An opener over a link where nobody answers unless the test does, and a clock that stands still. */
function opener(stream: Partial<Stream> = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const link: Pick<HubLink, 'isUp' | 'open'> = { isUp: true, open: () => stream as Stream }
  return new Opener(link as HubLink, 60_000)
}

/** So many clients of a service; what was opened for them. */
function clients(one: Opener, name: string, waiting = 0): Queue & { waiting: number; opened: Opening[] } {
  const queue = {
    name,
    waiting,
    opened: [] as Opening[],
    carryOne() {
      queue.waiting--
      queue.opened.push(one.open(name, 0)!)
    },
  }
  one.add(queue)
  return queue
}

test('clients of one service alone have all that a link may open at once', () => {
  const one = opener()
  const slow = clients(one, 'slow', 1000)
  one.carry()
  expect([slow.opened.length, slow.waiting]).toEqual([MAX_PENDING_OPENS, 1000 - MAX_PENDING_OPENS])
})

test('a service that does not answer holds up no clients of another', () => {
  const one = opener()
  const slow = clients(one, 'slow', 900)
  const quick = clients(one, 'quick')
  one.carry()
  expect(slow.opened).toHaveLength((MAX_PENDING_OPENS * 3) / 4)
  expect(one.mayWait(quick)).toBe(true)
  quick.waiting = 1
  one.carry()
  expect([quick.opened.length, quick.waiting]).toEqual([1, 0])
  // Those that wait for it go on as it answers.
  slow.opened[0]!.answered()
  expect(slow.opened).toHaveLength((MAX_PENDING_OPENS * 3) / 4 + 1)
})

test('however many wait for one service, some may for another', () => {
  const one = opener()
  const [slow, quick] = [clients(one, 'slow'), clients(one, 'quick')]
  while (one.mayWait(slow)) slow.waiting++
  expect(slow.waiting).toBe((MAX_STREAMS * 3) / 4)
  expect(one.mayWait(quick)).toBe(true)
  one.remove(quick)
  while (one.mayWait(slow)) slow.waiting++
  expect(slow.waiting).toBe(MAX_STREAMS)
})

test('a stream that nobody answers, not even the hub, is given up after 20 s; one with an answer is not', () => {
  const sever = vi.fn<Stream['sever']>()
  const one = opener({ sever })
  const [silent, answered] = [one.open('echo', 0), one.open('echo', 0)]
  answered!.answered()
  vi.advanceTimersByTime(19_999)
  expect(sever).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(sever).toHaveBeenCalledExactlyOnceWith(STREAM_CODES.TIMEOUT, 'no answer in time')
  silent!.answered()
  expect(vi.getTimerCount()).toBe(0)
})
