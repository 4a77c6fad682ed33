import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SwitchOptions } from '../../../src/hub/switch/switch.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeFin,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodeResume,
  encodeResumed,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import type { Position } from '../../../src/tunnel/protocol/frames.ts'
import {
  LINK_BACKLOG_LOW_BYTES,
  MAX_DATA_BYTES,
  MAX_PENDING_OPENS,
  MAX_STREAMS,
} from '../../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { noted } from '../../tunnel/helpers/noted.ts'
import { encodeData } from '../../tunnel/helpers/whole-frames.ts'

/** With a stream from a, where it is 1, to b, where it is 2. */
function joined(options?: SwitchOptions) {
  const world = noted(options)
  const { a, b } = world
  a.says(open(1))
  b.says(encodeOpenOk(2, INITIAL_WINDOW))
  a.link.said()
  b.link.said()
  return world
}

/** The same, and the agent of the one has lost its link; it may come back for its stream. */
function halved(name: 'a' | 'b', options?: SwitchOptions) {
  const world = joined(options)
  world.hub.closed(world[name].port)
  return world
}

const keyOf = (number: number) => Buffer.alloc(16, number)
const open = (number: number, service = 'b', limit = INITIAL_WINDOW, hops = 0) =>
  encodeOpen(number, keyOf(number), limit, service, { hops })
const hello = Buffer.from('hello')
const position = (more: Partial<Position> = {}): Position => ({
  received: 0,
  consumed: 0,
  limit: INITIAL_WINDOW,
  ended: false,
  answered: true,
  ...more,
})

function withFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

describe('a stream', () => {
  test('is opened at the service’s link under a number of the hub’s, in the name of whoever opens it', () => {
    const { hub, a, b } = noted()
    const bytes = encodeOpen(7, keyOf(7), 300_000, 'b', { from: 'somebody else', hops: 8 })
    bytes[1]! |= 0x50
    a.says(bytes)
    const opened = { type: 'open', stream: 2, key: keyOf(7), limit: 300_000, service: 'b', hops: 8 }
    expect(b.link.said()).toEqual([{ ...opened, from: 'agent_of_a' }])
    expect(a.link.said()).toEqual([])
    expect([hub.size, a.port.pendingOpens, b.port.pendingOpens]).toEqual([1, 1, 0])
  })

  test('is opened at the agent that its OPEN names, and at no other', () => {
    const { hub, a, b } = noted()
    const sent: number[] = []
    b.link.sendControl = (frame) => void sent.push(frame[1]!)
    const named = (number: number, agent: string) =>
      encodeOpen(number, keyOf(number), INITIAL_WINDOW, 'b', { from: agent, hops: 3, named: true })
    a.says(named(1, 'agent_of_c'), named(3, ''), named(5, 'agent_of_b'))
    const refusal = { type: 'openErr', code: STREAM_CODES.OTHER_AGENT }
    expect(a.link.said()).toMatchObject([
      { ...refusal, stream: 1 },
      { ...refusal, stream: 3 },
    ])
    // Whoever accepts it is told of hops alone.
    expect(sent).toEqual([3])
    expect(hub.size).toBe(1)
  })

  test('keeps the flags of its OPEN', () => {
    const { a, b } = noted()
    const sent: number[] = []
    b.link.sendControl = (frame) => void sent.push(frame[1]!)
    a.says(Buffer.from(open(1)).fill(0x55, 1, 2))
    expect(sent).toEqual([0x55])
  })

  test('passes both ways once it is answered, and is forgotten when both ends have all', () => {
    const { hub, a, b } = noted()
    a.says(open(1))
    b.says(encodeOpenOk(2, 300_000))
    expect(a.link.said()).toEqual([{ type: 'openOk', stream: 1, limit: 300_000 }])
    expect(a.port.pendingOpens).toBe(0)
    b.link.said()
    a.says(encodeData(1, hello), encodeFin(1, 5))
    b.says(encodeData(2, hello), encodeFin(2, 5))
    const all = (stream: number) => [
      { type: 'data', stream, payload: hello },
      { type: 'fin', stream, offset: 5 },
    ]
    expect([a.link.said(), b.link.said()]).toEqual([all(1), all(2)])
    a.says(encodeWindow(1, 6, INITIAL_WINDOW + 6))
    expect(b.link.said()).toEqual([{ type: 'window', stream: 2, consumed: 6, limit: INITIAL_WINDOW + 6 }])
    expect([hub.size, a.port.ends.size, b.port.ends.size]).toEqual([1, 1, 1])
    b.says(encodeWindow(2, 6, 300_006))
    expect(a.link.said()).toEqual([{ type: 'window', stream: 1, consumed: 6, limit: 300_006 }])
    expect([hub.size, a.port.ends.size, b.port.ends.size]).toEqual([0, 0, 0])
  })

  test('may bring as many bytes as its answer has allowed, and no more', () => {
    const { a, b } = noted()
    a.says(open(1))
    b.says(encodeOpenOk(2, INITIAL_WINDOW + MAX_DATA_BYTES))
    for (let sent = 0; sent < INITIAL_WINDOW + MAX_DATA_BYTES; sent += MAX_DATA_BYTES)
      a.says(encodeData(1, Buffer.alloc(MAX_DATA_BYTES)))
    expect(a.link.said()).toMatchObject([{ type: 'openOk' }])
    a.says(encodeData(1, Buffer.alloc(1)))
    const reset = { type: 'rst', code: STREAM_CODES.FLOW_CONTROL, message: '1 bytes past the window' }
    expect(a.link.said()).toEqual([{ ...reset, stream: 1 }])
    expect(b.link.said().at(-1)).toEqual({ ...reset, stream: 2 })
  })

  test('may bring the opener as many bytes as its OPEN has allowed, and no more', () => {
    const { a, b } = noted()
    a.says(open(1, 'b', 3))
    b.says(encodeOpenOk(2, INITIAL_WINDOW), encodeData(2, Buffer.alloc(3)))
    expect(a.link.said()).toMatchObject([{ type: 'openOk' }, { type: 'data' }])
    b.says(encodeData(2, Buffer.alloc(1)))
    expect(a.link.said()).toMatchObject([{ type: 'rst', code: STREAM_CODES.FLOW_CONTROL }])
  })

  test('that is refused is so in the service’s own words, and nothing is left of it', () => {
    const { hub, a, b } = noted()
    a.says(open(1))
    const gaveUp = [a, b].map(({ port }) => vi.spyOn(port.quota, 'gaveUp'))
    b.says(encodeOpenErr(2, STREAM_CODES.TARGET_REFUSED, 'nobody listens'))
    expect(a.link.said()).toEqual([
      { type: 'openErr', stream: 1, code: STREAM_CODES.TARGET_REFUSED, message: 'nobody listens' },
    ])
    expect([hub.size, a.port.pendingOpens]).toEqual([0, 0])
    for (const quota of gaveUp) expect(quota).not.toHaveBeenCalled()
  })

  test('that its opener resets counts as given up as long as it was not answered', () => {
    const { hub, a, b } = noted()
    const gaveUp = vi.spyOn(a.port.quota, 'gaveUp')
    a.says(open(1), encodeRst(1, STREAM_CODES.PEER_RESET, 'gone'))
    expect(b.link.said()).toMatchObject([
      { type: 'open', stream: 2 },
      { type: 'rst', stream: 2, code: STREAM_CODES.PEER_RESET, message: 'gone' },
    ])
    expect(gaveUp).toHaveBeenCalledOnce()
    a.says(open(3))
    b.says(encodeOpenOk(4, INITIAL_WINDOW))
    a.says(encodeRst(3, STREAM_CODES.PEER_RESET))
    expect(gaveUp).toHaveBeenCalledOnce()
    expect(hub.size).toBe(0)
  })

  test('has fifteen seconds for its answer, and as much time as it likes afterwards', () => {
    withFakeTimers()
    const { a, b } = noted()
    a.says(open(1), open(3))
    b.says(encodeOpenOk(2, INITIAL_WINDOW))
    a.link.said()
    b.link.said()
    vi.advanceTimersByTime(14_999)
    expect([a.link.said(), b.link.said()]).toEqual([[], []])
    vi.advanceTimersByTime(1)
    const late = { code: STREAM_CODES.TIMEOUT, message: 'the service’s agent did not answer' }
    expect(a.link.said()).toEqual([{ type: 'openErr', stream: 3, ...late }])
    expect(b.link.said()).toEqual([{ type: 'rst', stream: 4, ...late }])
  })

  test('has as long for its answer as the hub was told', () => {
    withFakeTimers()
    const { a } = noted({ openTimeoutMs: 20 })
    a.says(open(1))
    vi.advanceTimersByTime(19)
    expect(a.link.said()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(a.link.said()).toMatchObject([{ type: 'openErr', code: STREAM_CODES.TIMEOUT }])
  })
})

describe('an OPEN is refused', () => {
  test.for<[string, number, string, (world: ReturnType<typeof noted>) => Buffer]>([
    [
      'that has come through nine streams',
      STREAM_CODES.LOOP,
      'the connection has come through 9 services: it goes in a loop',
      () => open(1, 'b', 0, 9),
    ],
    [
      'of a link with 1,024 streams',
      STREAM_CODES.LIMIT,
      'this link has 1024 streams open',
      ({ a }) => {
        a.fill(MAX_STREAMS)
        return open(1)
      },
    ],
    [
      'of an agent that gives up too many',
      STREAM_CODES.LIMIT,
      'too many streams were given up before they were answered',
      ({ a }) => {
        vi.spyOn(a.port.quota, 'hasGivenUpTooMany').mockReturnValue(true)
        return open(1)
      },
    ],
    [
      'of a link with 256 that wait',
      STREAM_CODES.LIMIT,
      '256 streams are waiting to be opened',
      ({ a }) => {
        a.port.pendingOpens = MAX_PENDING_OPENS
        return open(1)
      },
    ],
    ['to what nobody has', STREAM_CODES.SERVICE_UNKNOWN, 'no nothing', () => open(1, 'nothing')],
    [
      'to an agent that has gone for good',
      STREAM_CODES.AGENT_OFFLINE,
      'b is gone',
      ({ elsewhere }) => {
        elsewhere.set('b', { code: STREAM_CODES.AGENT_OFFLINE, message: 'b is gone', isExpected: false })
        return open(1)
      },
    ],
    [
      'to a link with 1,024 streams',
      STREAM_CODES.LIMIT,
      'the service’s agent has 1024 streams open',
      ({ b }) => {
        b.fill(MAX_STREAMS)
        return open(1)
      },
    ],
    [
      'to a link that has much control waiting',
      STREAM_CODES.LIMIT,
      'the link of the service’s agent is too far behind',
      ({ b }) => {
        b.link.isBehind = true
        return open(1)
      },
    ],
    [
      'with the key of another stream',
      STREAM_CODES.PROTOCOL,
      'the key of another stream',
      ({ link }) => {
        link('c').says(open(1, 'a'))
        return open(1)
      },
    ],
  ])('%s', ([, code, message, arrange]) => {
    const world = noted()
    const frame = arrange(world)
    world.a.link.said()
    const { size } = world.hub
    world.a.says(frame)
    expect(world.a.link.said()).toEqual([{ type: 'openErr', stream: 1, code, message }])
    expect(world.b.link.said()).toEqual([])
    expect(world.hub.size).toBe(size)
  })

  test('not while any of these has room for one more', () => {
    const { a, b } = noted()
    a.fill(MAX_STREAMS - 1)
    b.fill(MAX_STREAMS - 1)
    a.port.pendingOpens = MAX_PENDING_OPENS - 1
    a.says(open(1, 'b', 0, 8))
    expect(a.link.said()).toEqual([])
    expect(b.link.said()).toMatchObject([{ type: 'open' }])
  })
})

describe('a number', () => {
  test.for([
    ['OPEN', 2, open(2)],
    ['OPEN', 1, open(1)],
    ['RESUME', 2, encodeResume(2, keyOf(9), position(), 'b')],
    ['RESUME', 1, encodeResume(1, keyOf(9), position(), 'b')],
  ] as const)('that is the hub’s or in use ends the link that sends %s for %i', ([type, number, frame]) => {
    const { hub, a, b } = joined()
    a.says(frame)
    expect(a.link.ends).toEqual([[GOAWAY_CODES.PROTOCOL, `${type} for stream ${number}`]])
    expect([a.link.said(), b.link.said(), hub.size]).toEqual([[], [], 1])
  })
})

describe('a stream is reset at both ends by', () => {
  test.for<[string, Buffer[], string]>([
    ['data after the end', [encodeFin(1, 0), encodeData(1, hello)], 'data after the end'],
    ['a second end', [encodeFin(1, 0), encodeFin(1, 0)], 'a second end'],
    ['an end elsewhere than where it is', [encodeFin(1, 6)], 'an end at 6 after 0 bytes'],
    ['a WINDOW for what was not sent', [encodeWindow(1, 1, 1)], '1 bytes acknowledged, 0 were sent'],
    ['an opener’s OPEN_OK', [encodeOpenOk(1, 0)], 'an OPEN_OK that nobody waits for'],
    ['an opener’s OPEN_ERR', [encodeOpenErr(1, 6, '')], 'an OPEN_ERR that nobody waits for'],
    [
      'an answer that nobody has asked for',
      [encodeResumed(1, position())],
      'a RESUMED that nobody waits for',
    ],
  ])('%s', ([, frames, message]) => {
    const { hub, a, b } = joined()
    a.says(...frames)
    const reset = { type: 'rst', code: STREAM_CODES.PROTOCOL, message }
    expect(a.link.said()).toEqual([{ ...reset, stream: 1 }])
    expect(b.link.said().at(-1)).toEqual({ ...reset, stream: 2 })
    expect(hub.size).toBe(0)
  })

  test.for([
    ['OPEN_OK', encodeOpenOk(2, 0)],
    ['OPEN_ERR', encodeOpenErr(2, 6, '')],
  ] as const)('a second answer: %s', ([type, frame]) => {
    const { a, b } = joined()
    b.says(frame)
    const message = `an ${type} that nobody waits for`
    for (const { link } of [a, b])
      expect(link.said()).toMatchObject([{ type: 'rst', code: STREAM_CODES.PROTOCOL, message }])
  })

  test.for([
    ['OPEN_OK', encodeOpenOk(1, 0)],
    ['OPEN_ERR', encodeOpenErr(1, 6, '')],
  ] as const)('an opener that answers itself: %s', ([type, frame]) => {
    const { a, b } = noted()
    a.says(open(1), frame)
    const message = `an ${type} that nobody waits for`
    expect(a.link.said()).toEqual([{ type: 'openErr', stream: 1, code: STREAM_CODES.PROTOCOL, message }])
    expect(b.link.said().at(-1)).toEqual({ type: 'rst', stream: 2, code: STREAM_CODES.PROTOCOL, message })
  })
})

test('a mistake of the hub’s own resets no stream, and is heard', () => {
  const { hub, a, b } = joined()
  b.link.sendData = () => {
    throw new Error('a bug')
  }
  expect(() => a.says(encodeData(1, hello))).toThrow('a bug')
  expect([a.link.said(), b.link.said(), hub.size]).toEqual([[], [], 1])
})

test('frames for a stream that a link doesn’t have are counted, and DATA and FIN are answered', () => {
  const { a, b } = joined()
  a.says(
    encodeData(3, hello),
    encodeFin(3, 0),
    encodeWindow(3, 0, 1),
    encodeOpenOk(3, 0),
    encodeOpenErr(3, 6, ''),
    encodeRst(3, 1),
    encodeResumed(3, position()),
  )
  const unknown = { type: 'rst', stream: 3, code: STREAM_CODES.STREAM_UNKNOWN, message: '' }
  expect(a.link.said()).toEqual([unknown, unknown])
  expect(b.link.said()).toEqual([])
  expect([a.port.strays, b.port.strays]).toEqual([7, 0])
})

describe('while the link of an end is lost,', () => {
  test.for(['a', 'b'] as const)('what the other sends is not passed on: %s is gone', (lost) => {
    const { hub, a, b } = halved(lost)
    const [left, number] = lost === 'a' ? ([b, 2] as const) : ([a, 1] as const)
    left.says(encodeData(number, hello), encodeWindow(number, 1, 1), encodeFin(number, 0))
    expect([a.link.said(), b.link.said(), hub.size]).toEqual([[], [], 1])
  })

  test('an end that resets the stream does so, and the other hears it when it is back', () => {
    const { hub, link, b } = halved('a')
    b.says(encodeRst(2, STREAM_CODES.PEER_RESET, 'gone'))
    expect([hub.size, b.port.ends.size]).toEqual([1, 0])
    const back = link('a')
    back.says(encodeResume(1, keyOf(1), position(), 'b'))
    expect(back.link.said()).toEqual([
      { type: 'rst', stream: 1, code: STREAM_CODES.PEER_RESET, message: 'gone' },
    ])
    expect(hub.size).toBe(0)
  })

  test('that link is relieved no more, however much waits for its agent', () => {
    const { hub, a, b } = halved('a', { agentBacklogMaxBytes: 0 })
    const terminated = vi.fn(() => void (a.link.backlog = 0))
    Object.assign(a.link, { backlog: 1, terminate: terminated })
    hub.waiting(a.port, 1)
    b.says(open(3))
    expect(terminated).not.toHaveBeenCalled()
  })

  test('nobody is told of a WINDOW that was held back for it', () => {
    const { hub, a, b } = joined()
    b.link.isBackedUp = true
    b.says(encodeWindow(2, 0, INITIAL_WINDOW + 1))
    hub.closed(a.port)
    hub.relieved(b.port)
    expect([a.link.said(), hub.size]).toEqual([[], 1])
  })
})

describe('an end that is back', () => {
  test('goes on from where the other one says that it stands', () => {
    const { link, b } = halved('a')
    const back = link('a')
    back.says(encodeResume(1, keyOf(1), position({ limit: INITIAL_WINDOW + 9 }), 'b'))
    const asked = { type: 'resume', stream: 2, key: keyOf(1), service: 'b', from: 'agent_of_a' }
    expect(b.link.said()).toMatchObject([asked])
    // What was on its way is old.
    b.says(encodeData(2, hello), encodeWindow(2, 0, INITIAL_WINDOW + 1))
    expect(back.link.said()).toEqual([])
    b.says(encodeResumed(2, position()))
    expect(back.link.said()).toMatchObject([{ type: 'resumed', stream: 1 }])
    b.says(encodeData(2, hello))
    expect(back.link.said()).toEqual([{ type: 'data', stream: 1, payload: hello }])
  })

  test('is refused by a link with 1,024 streams, and not by one with room for it', () => {
    const { link, b } = halved('a')
    const back = link('a')
    back.fill(MAX_STREAMS)
    const resume = () => encodeResume(1, keyOf(1), position(), 'b')
    back.says(resume())
    expect(back.link.said()).toEqual([
      { type: 'rst', stream: 1, code: STREAM_CODES.LIMIT, message: 'this link has 1024 streams open' },
    ])
    expect(b.link.said()).toEqual([])
    back.port.ends.delete(100_000)
    back.says(resume())
    expect(back.link.said()).toEqual([])
    expect(b.link.said()).toMatchObject([{ type: 'resume' }])
  })

  test('without a stream has it reset at the other end', () => {
    const { hub, link, b } = halved('a')
    hub.ready(link('a').port)
    expect(b.link.said()).toMatchObject([{ type: 'rst', stream: 2, code: STREAM_CODES.STREAM_UNKNOWN }])
  })

  test('is waited for only if its link was not ended for good', () => {
    const { hub, a, b } = joined()
    hub.closed(a.port, GOAWAY_CODES.REVOKED)
    expect(b.link.said()).toMatchObject([{ type: 'rst', stream: 2, code: STREAM_CODES.LINK_LOST }])
    expect(hub.size).toBe(0)
  })

  test('is waited for as long as the hub was told', () => {
    withFakeTimers()
    const { hub, a, b } = joined({ resumeMs: 20 })
    hub.closed(a.port)
    vi.advanceTimersByTime(19)
    expect(b.link.said()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(b.link.said()).toMatchObject([{ type: 'rst', code: STREAM_CODES.LINK_LOST }])
  })
})

describe('a stream to an agent that may be back any moment', () => {
  const expected = { code: STREAM_CODES.AGENT_OFFLINE, message: 'b is not back', isExpected: true }

  test('waits, and is opened when it is', () => {
    const { hub, elsewhere, link, a } = noted()
    elsewhere.set('b', expected)
    a.says(open(1, 'b', 300_000))
    expect(a.link.said()).toEqual([])
    elsewhere.clear()
    const back = link('b')
    hub.ready(back.port)
    expect(a.link.said()).toMatchObject([{ type: 'resume', stream: 1 }])
    a.says(encodeResumed(1, position({ limit: 300_000, answered: false })))
    expect(back.link.said()).toMatchObject([{ type: 'open', stream: 2, limit: 300_000, from: 'agent_of_a' }])
  })

  test('waits while others are, which do not look at it', () => {
    const { hub, elsewhere, link, a, b } = joined()
    const [acceptor] = b.port.ends.values()
    hub.closed(b.port)
    elsewhere.set('c', expected)
    a.says(open(3, 'c'))
    const look = vi.fn<() => string>(() => 'agent_of_b/process')
    Object.defineProperty(acceptor, 'process', { get: look })
    const resolve = vi.spyOn(elsewhere, 'get')
    hub.ready(link('d').port)
    expect([look.mock.calls, resolve.mock.calls]).toEqual([[], []])
    hub.ready(link('b').port)
    expect(look).toHaveBeenCalled()
    hub.ready(link('c').port)
    expect(resolve).toHaveBeenCalledWith('c')
  })

  test('is refused after fifteen seconds, since that agent is not there', () => {
    withFakeTimers()
    const { elsewhere, a } = noted()
    elsewhere.set('b', expected)
    a.says(open(1))
    vi.advanceTimersByTime(14_999)
    expect(a.link.said()).toEqual([])
    vi.advanceTimersByTime(1)
    const { code, message } = expected
    expect(a.link.said()).toEqual([{ type: 'openErr', stream: 1, code, message }])
  })
})

describe('a WINDOW', () => {
  test('waits while the link that gives it is backed up, and the latest is told once', () => {
    const { hub, a, b } = joined()
    a.says(open(3))
    b.says(encodeOpenOk(4, INITIAL_WINDOW))
    a.link.said()
    b.link.isBackedUp = true
    b.says(encodeWindow(2, 0, INITIAL_WINDOW + 1), encodeWindow(2, 0, INITIAL_WINDOW + 2))
    expect(a.link.said()).toEqual([])
    b.link.isBackedUp = false
    for (let turn = 0; turn < 2; turn++) hub.relieved(b.port)
    expect(a.link.said()).toEqual([{ type: 'window', stream: 1, consumed: 0, limit: INITIAL_WINDOW + 2 }])
  })

  test('that brings no news is not passed on', () => {
    const { a, b } = joined()
    b.says(encodeWindow(2, 0, INITIAL_WINDOW))
    expect(a.link.said()).toEqual([])
  })

  test('that waits keeps its stream, though both ends have all', () => {
    const { hub, a, b } = joined()
    a.says(encodeFin(1, 0))
    b.says(encodeFin(2, 0))
    b.link.isBackedUp = true
    b.says(encodeWindow(2, 1, INITIAL_WINDOW + 1))
    a.says(encodeWindow(1, 1, INITIAL_WINDOW + 1))
    expect(hub.size).toBe(1)
    hub.relieved(b.port)
    expect(hub.size).toBe(0)
  })
})

test.for([
  ['little of what came in one read stays as it is', LINK_BACKLOG_LOW_BYTES, false],
  ['it is copied if it will wait for long', LINK_BACKLOG_LOW_BYTES + 1, true],
] as const)('%s', ([, backlog, isCopied]) => {
  const { a, b } = joined()
  b.link.backlog = backlog
  // Half of it: too much to copy it for no reason.
  const read = Buffer.from(new ArrayBuffer(60_000))
  const header = read.subarray(0, 6)
  encodeData(1, Buffer.alloc(0)).copy(header)
  a.saysInChunks(header, read.subarray(6, 30_000))
  expect(b.link.chunks[0]![1]!.buffer !== read.buffer).toBe(isCopied)
})

describe('when too much waits for an agent,', () => {
  test('its largest stream is reset', () => {
    const { hub, a, b } = joined({ agentBacklogMaxBytes: 1000 })
    b.link.backlog = 1001
    b.link.largestStream = 2
    hub.waiting(b.port, 1000)
    a.says(encodeData(1, hello))
    expect([a.link.said(), hub.size]).toEqual([[], 1])
    b.link.said()
    hub.waiting(b.port, 1)
    b.link.drop = () => hub.waiting(b.port, -1)
    a.says(encodeData(1, hello))
    const reset = { type: 'rst', code: STREAM_CODES.LIMIT, message: 'the receiving link is too far behind' }
    expect(a.link.said()).toEqual([{ ...reset, stream: 1 }])
    expect(b.link.said().at(-1)).toEqual({ ...reset, stream: 2 })
  })

  test('what is left of a stream that is over is dropped', () => {
    const { hub, a, b } = joined({ agentBacklogMaxBytes: 1000 })
    const dropped = vi.fn(() => hub.waiting(b.port, -1001))
    Object.assign(b.link, { backlog: 1001, largestStream: 4, drop: dropped })
    hub.waiting(b.port, 1001)
    a.says(encodeData(1, hello))
    expect(dropped.mock.calls).toEqual([[4]])
    expect([a.link.said(), hub.size]).toEqual([[], 1])
  })

  test('its link is ended if nothing but control waits', () => {
    const { hub, a, b } = joined({ agentBacklogMaxBytes: 1000 })
    b.link.backlog = 1001
    const terminated = vi.fn(() => {
      b.link.backlog = 0
      hub.waiting(b.port, -1001)
    })
    b.link.terminate = terminated
    hub.waiting(b.port, 1001)
    a.says(encodeData(1, hello))
    expect(terminated.mock.calls).toEqual([['the peer does not read']])
  })
})
