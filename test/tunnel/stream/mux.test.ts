import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Link } from '../../../src/tunnel/link/link.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeCtrl,
  encodeFin,
  encodeGoaway,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodeResumed,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES } from '../../../src/tunnel/protocol/frames.ts'
import { MAX_DATA_BYTES, MAX_STREAMS } from '../../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { Mux } from '../../../src/tunnel/stream/mux.ts'
import type { StreamHandler } from '../../../src/tunnel/stream/stream-handler.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'
import { until } from '../../helpers/until.ts'
import { Loopback } from '../helpers/loopback.ts'
import { turns } from '../helpers/party.ts'
import { RawPeer } from '../helpers/raw-peer.ts'
import { open } from '../helpers/switched.ts'
import { encodeData } from '../helpers/whole-frames.ts'

let loopback: Loopback
const hubs: RawPeer[] = []

beforeAll(async () => {
  loopback = await Loopback.start()
})

afterEach(() => {
  for (const hub of hubs.splice(0)) hub.vanish()
})

afterAll(() => loopback.close())

/** An agent's multiplexer, and a hub that the test plays. */
async function agent(resumeMs = 0): Promise<{
  mux: Mux
  hub: RawPeer
  incoming: Stream[]
  events: unknown[]
  closed: Promise<string>
}> {
  const { near, peer } = await loopback.acceptedByPeer()
  const hub = new RawPeer(peer)
  hubs.push(hub)
  const incoming: Stream[] = []
  const events: unknown[] = []
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  const mux = new Mux(
    {
      open: (stream) => incoming.push(stream),
      ctrl: (message) => events.push(message),
      goaway: (code, afterMs, message) => events.push({ code, afterMs, message }),
      closed: resolve,
    },
    { resumeMs },
  )
  mux.connect(new Link(near.socket))
  return { mux, hub, incoming, events, closed }
}

/** Notes what a stream's owner hears, and consumes nothing. */
class AgentRef implements StreamHandler {
  readonly heard: string[] = []
  bytes = Buffer.alloc(0)
  onData: (() => void) | undefined

  opened(): void {
    this.heard.push('opened')
  }

  data(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk])
    this.heard.push(chunk.length > 20 ? `${chunk.length} bytes` : chunk.toString())
    this.onData?.()
  }

  end(): void {
    this.heard.push('end')
  }

  drain(): void {
    this.heard.push('drain')
  }

  reset(code: number, message: string): void {
    this.heard.push(`reset ${code} ${message}`)
  }

  done(): void {
    this.heard.push('done')
  }
}

function owned(stream: Stream): AgentRef {
  const owner = new AgentRef()
  stream.attach(owner)
  return owner
}

const hello = Buffer.from('hello')

test('a stream that an agent opens has an odd number and a fresh key of 128 bits', async () => {
  const { mux, hub } = await agent()
  mux.open('web')
  mux.open('web')
  const [first, second] = [await hub.next('open'), await hub.next('open')]
  expect([first.stream, second.stream]).toEqual([1, 3])
  expect(first).toMatchObject({ service: 'web', from: '', limit: INITIAL_WINDOW })
  expect(first.key.equals(second.key)).toBe(false)
})

test('a stream tells how many its connection has come through before, as its OPEN said, and counts no further than 15', async () => {
  const { mux, hub, incoming } = await agent()
  for (const hops of [undefined, 3, 99]) mux.open('web', hops)
  const told = [await hub.next('open'), await hub.next('open'), await hub.next('open')]
  expect(told.map(({ hops }) => hops)).toEqual([0, 3, 15])
  hub.send(encodeOpen(2, randomBytes(STREAM_KEY_BYTES), INITIAL_WINDOW, 'web', { from: 'agent_a', hops: 4 }))
  await hub.settled()
  expect(incoming[0]?.hops).toBe(4)
})

test('an agent has both ends of a stream that it opens to a service of its own', async () => {
  const { mux, hub, incoming } = await agent()
  const opener = owned(mux.open('web'))
  const { key } = await hub.next('open')
  hub.send(encodeOpen(2, key, INITIAL_WINDOW, 'web', { from: 'agent_itself' }))
  await hub.settled()
  const acceptor = owned(incoming[0]!)
  hub.send(encodeOpenOk(1, INITIAL_WINDOW), encodeData(1, hello), encodeData(2, Buffer.from('hi')))
  await hub.settled()
  expect([opener.heard, acceptor.heard]).toEqual([['opened', 'hello'], ['hi']])
  expect([mux.streamCount, mux.streamsTo('web', 'others').length]).toEqual([2, 1])
  expect(hub.count('openErr')).toBe(0)
})

test('its owner hears when it was accepted, and why it was refused', async () => {
  const { mux, hub } = await agent()
  const [accepted, refused] = [owned(mux.open('web')), owned(mux.open('gone'))]
  hub.send(encodeOpenOk(1, INITIAL_WINDOW), encodeOpenErr(3, STREAM_CODES.SERVICE_UNKNOWN, 'no such service'))
  await hub.settled()
  expect([accepted.heard, refused.heard]).toEqual([['opened'], ['reset 2 no such service']])
  expect(mux.streamCount).toBe(1)
})

test('bytes go out behind the OPEN at once, as far as the first window', async () => {
  const { mux, hub } = await agent()
  const stream = mux.open('web')
  const owner = owned(stream)
  expect(stream.write(Buffer.alloc(INITIAL_WINDOW + 1))).toBe(false)
  await until(() => hub.count('data') === 4)
  await hub.settled()
  const sizes = hub.heard.map((frame) => (frame.type === 'data' ? frame.payload.length : 0))
  expect(Math.max(...sizes)).toBe(MAX_DATA_BYTES)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(INITIAL_WINDOW)
  expect(hub.heard[0]?.type).toBe('open')
  expect(owner.heard).toEqual([])
  hub.send(encodeWindow(1, INITIAL_WINDOW, INITIAL_WINDOW + 1))
  expect(await hub.next('data')).toBeDefined()
  await hub.settled()
  expect(owner.heard).toEqual(['drain'])
})

test('an empty write sends nothing, and what is written after the end is not sent', async () => {
  const { mux, hub } = await agent()
  const stream = mux.open('web')
  expect(stream.write(Buffer.alloc(0))).toBe(true)
  stream.end()
  expect(stream.write(hello)).toBe(false)
  stream.end()
  expect(await hub.next('fin')).toMatchObject({ offset: 0 })
  await hub.settled()
  expect([hub.count('data'), hub.count('fin')]).toEqual([0, 1])
})

test('what comes before anyone listens is kept: bytes, the end, and a reset', async () => {
  const { hub, incoming } = await agent()
  hub.send(open(2, 'web'), encodeData(2, hello), encodeFin(2, 5))
  hub.send(
    open(4, 'web'),
    encodeData(4, hello),
    encodeFin(4, 5),
    encodeRst(4, STREAM_CODES.PEER_RESET, 'gone'),
  )
  await hub.settled()
  expect(owned(incoming[0]!).heard).toEqual(['hello', 'end'])
  // Not as if it had ended after no byte at all.
  expect(owned(incoming[1]!).heard).toEqual(['reset 1 gone'])
})

test('whoever is not attached yet hears at once of a reset', async () => {
  const { hub, incoming } = await agent()
  hub.send(open(2, 'web'))
  await hub.settled()
  let times = 0
  incoming[0]!.onReset(() => times++)
  hub.send(encodeRst(2, STREAM_CODES.PEER_RESET, 'gone'))
  await hub.settled()
  expect(times).toBe(1)
})

test('the streams to one service are severed at both ends: those that others have opened, or those of this end', async () => {
  const { mux, hub, incoming } = await agent()
  const own = owned(mux.open('web'))
  for (const [id, service] of [
    [2, 'web'],
    [4, 'web'],
    [6, 'api'],
  ] as const)
    hub.send(encodeOpen(id, randomBytes(STREAM_KEY_BYTES), INITIAL_WINDOW, service, { from: 'agent_a' }))
  await hub.settled()
  const [attached, dialling, other] = [owned(incoming[0]!), incoming[1]!, owned(incoming[2]!)]
  let times = 0
  dialling.onReset(() => times++)
  expect(mux.streamsTo('web', 'others')).toEqual([incoming[0], dialling])
  for (const stream of mux.streamsTo('web', 'others'))
    stream.sever(STREAM_CODES.SERVICE_UNKNOWN, 'taken back')
  const told = [await hub.next('rst'), await hub.next('rst')]
  expect(told).toMatchObject([{ stream: 2, code: 2, message: 'taken back' }, { stream: 4 }])
  expect([attached.heard, times, own.heard, other.heard]).toEqual([['reset 2 taken back'], 1, [], []])
  expect(mux.streamsTo('web', 'others')).toEqual([])
  for (const stream of mux.streamsTo('web', 'this end')) stream.sever(STREAM_CODES.SHUTDOWN, 'given up')
  expect(await hub.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.SHUTDOWN })
  expect([own.heard, mux.streamCount]).toEqual([['reset 12 given up'], 1])
})

test('a stream that is severed while its link is lost tells the far end once it has another one', async () => {
  const { mux, hub, closed } = await agent(60_000)
  const stream = mux.open('web')
  const owner = owned(stream)
  await hub.next('open')
  hub.vanish()
  await closed
  stream.sever(STREAM_CODES.SERVICE_UNKNOWN, 'taken back')
  stream.sever(STREAM_CODES.SERVICE_UNKNOWN, 'again')
  expect(owner.heard).toEqual(['reset 2 taken back'])
  const { near, peer } = await loopback.acceptedByPeer()
  const next = new RawPeer(peer)
  hubs.push(next)
  mux.connect(new Link(near.socket))
  const { stream: id } = await next.next('resume')
  next.send(
    encodeResumed(id, { received: 0, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: false }),
  )
  expect(await next.next('rst')).toMatchObject({ code: 2, message: 'taken back' })
  expect(mux.streamCount).toBe(0)
})

test('early bytes that come one by one are kept in order, and few buffers', async () => {
  const { hub, incoming } = await agent()
  hub.send(open(2, 'web'))
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => 97 + (index % 26)))
  for (const byte of bytes) hub.send(encodeData(2, Buffer.of(byte)))
  await hub.settled()
  const owner = owned(incoming[0]!)
  expect(owner.bytes.equals(bytes)).toBe(true)
  expect(owner.heard.length).toBeLessThan(100)
  incoming[0]!.consumed(1000)
})

test('who resets a stream while it takes in early bytes hears nothing more of it', async () => {
  const { hub, incoming } = await agent()
  hub.send(open(2, 'web'), encodeData(2, hello), encodeData(2, hello), encodeFin(2, 10))
  await hub.settled()
  const stream = incoming[0]!
  const owner = new AgentRef()
  owner.onData = () => stream.reset(STREAM_CODES.PEER_RESET)
  stream.attach(owner)
  expect(owner.heard).toEqual(['hello'])
  expect(await hub.next('rst')).toMatchObject({ stream: 2 })
  expect(hub.count('window')).toBe(0)
})

test('nothing of a stream is sent behind its RST', async () => {
  const { mux, hub } = await agent()
  hub.stopReading()
  const streams = Array.from({ length: 40 }, () => mux.open('web'))
  for (const stream of streams) {
    stream.write(Buffer.alloc(INITIAL_WINDOW))
    stream.end()
  }
  await turns(20)
  for (const stream of streams.slice(0, 20)) stream.reset(STREAM_CODES.PEER_RESET)
  hub.readAgain()
  await until(() => hub.count('data') >= 20 * 4)
  const resetStreams = new Set<number>()
  for (const frame of hub.heard) {
    if (frame.type === 'rst') resetStreams.add(frame.stream)
    if (frame.type === 'data' || frame.type === 'fin') expect(resetStreams).not.toContain(frame.stream)
  }
  expect(resetStreams.size).toBe(20)
})

test('frames for streams that the agent doesn’t have: DATA and FIN are answered, the others not', async () => {
  const { hub } = await agent()
  hub.send(
    encodeData(2, hello),
    encodeFin(4, 0),
    encodeRst(6, 1),
    encodeWindow(8, 0, 10),
    encodeOpenOk(10, 10),
    encodeOpenErr(12, 1, ''),
  )
  await hub.settled()
  const answers = hub.heard.filter((frame) => frame.type === 'rst')
  expect(answers.map(({ stream, code }) => [stream, code])).toEqual([
    [2, STREAM_CODES.STREAM_UNKNOWN],
    [4, STREAM_CODES.STREAM_UNKNOWN],
  ])
})

test.each([
  ['a number of the agent’s own', 3],
  ['a number in use', 2],
])('an OPEN from the hub under %s ends the link', async (_name, number) => {
  const { hub, incoming, closed } = await agent()
  hub.send(open(2, 'web'), open(number, 'web'))
  expect(await hub.next('goaway')).toMatchObject({ code: GOAWAY_CODES.PROTOCOL })
  expect(await closed).toBe(`OPEN for stream ${number}`)
  expect(owned(incoming[0]!).heard).toEqual([`reset ${STREAM_CODES.LINK_LOST} OPEN for stream ${number}`])
})

test('an agent takes 1,024 streams, and refuses the next', async () => {
  const { mux, hub, incoming } = await agent()
  for (let i = 1; i <= MAX_STREAMS + 1; i++) hub.send(open(2 * i, 'web'))
  expect(await hub.next('openErr')).toMatchObject({ stream: 2 * MAX_STREAMS + 2, code: STREAM_CODES.LIMIT })
  expect([incoming.length, mux.streamCount]).toEqual([MAX_STREAMS, MAX_STREAMS])
  incoming[0]!.refuse(STREAM_CODES.TARGET_REFUSED, 'no')
  hub.send(open(9000, 'web'))
  await hub.settled()
  expect(incoming).toHaveLength(MAX_STREAMS + 1)
})

test('a hub that sends more than the window has that stream reset, and no other', async () => {
  const { mux, hub } = await agent()
  const [greedy, other] = [owned(mux.open('web')), owned(mux.open('web'))]
  for (let i = 0; i < 9; i++) hub.send(encodeData(1, Buffer.alloc(MAX_DATA_BYTES)))
  hub.send(encodeData(3, hello))
  expect(await hub.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.FLOW_CONTROL })
  await hub.settled()
  expect(greedy.heard.at(-1)).toMatch(/^reset 8 \d+ bytes past the window$/)
  expect(other.heard).toEqual(['hello'])
})

test.each([
  ['DATA after FIN', () => [encodeFin(1, 0), encodeData(1, hello)]],
  ['a second FIN', () => [encodeFin(1, 0), encodeFin(1, 0)]],
  ['a FIN that states more than came', () => [encodeData(1, hello), encodeFin(1, 6)]],
  ['an acknowledgement of what was not sent', () => [encodeWindow(1, 1, INITIAL_WINDOW)]],
])('%s resets the stream, and its owner hears that it is reset', async (_name, frames) => {
  const { mux, hub } = await agent()
  const owner = owned(mux.open('web'))
  hub.send(...frames())
  expect(await hub.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  expect(owner.heard.at(-1)).toMatch(/^reset 9 /)
  expect(mux.streamCount).toBe(0)
})

test('a stream is over once both directions are acknowledged, however few bytes they had', async () => {
  const { mux, hub } = await agent()
  const stream = mux.open('web')
  const owner = owned(stream)
  hub.send(encodeOpenOk(1, INITIAL_WINDOW), encodeFin(1, 0))
  expect(await hub.next('window')).toEqual({
    type: 'window',
    stream: 1,
    consumed: 1,
    limit: INITIAL_WINDOW + 1,
  })
  stream.end()
  await hub.next('fin')
  expect(mux.streamCount).toBe(1)
  hub.send(encodeWindow(1, 1, INITIAL_WINDOW + 1))
  await hub.settled()
  expect(owner.heard).toEqual(['opened', 'end', 'done'])
  expect(mux.streamCount).toBe(0)
})

test('the answer to an OPEN and the last WINDOW go out with what is sent next', async () => {
  const { hub, incoming } = await agent()
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    hub.send(open(2, 'postgres'), encodeFin(2, 0))
    while (incoming.length === 0) await turns(1)
    const [stream] = incoming
    stream!.accept()
    stream!.attach({ data() {}, end() {}, drain() {}, reset() {} })
    await turns(20)
    expect(hub.heard).toEqual([])
    stream!.write(Buffer.from('x'))
    await hub.next('data')
    expect(hub.heard.map(({ type }) => type)).toEqual(['window', 'openOk', 'data'])
  } finally {
    vi.useRealTimers()
  }
})

test('the end is acknowledged only after all before it was handed on', async () => {
  const { mux, hub } = await agent()
  const stream = mux.open('web')
  owned(stream)
  hub.send(encodeData(1, hello), encodeFin(1, 5))
  await hub.settled()
  stream.consumed(4)
  await hub.settled()
  expect(hub.count('window')).toBe(0)
  stream.consumed(1)
  expect(await hub.next('window')).toMatchObject({ consumed: 6 })
})

test('control messages and goodbyes reach the owner of the link', async () => {
  const { hub, events } = await agent()
  hub.send(encodeCtrl({ type: 'anything' }), encodeGoaway(GOAWAY_CODES.SHUTDOWN, 70, 'later'))
  await hub.settled()
  expect(events).toEqual([
    { type: 'anything' },
    { code: GOAWAY_CODES.SHUTDOWN, afterMs: 70, message: 'later' },
  ])
})
