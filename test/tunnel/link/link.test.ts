import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { Link, type LinkFrame, type LinkHandler } from '../../../src/tunnel/link/link.ts'
import { Pace } from '../../../src/tunnel/link/pace.ts'
import { GOAWAY_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeCtrl,
  encodeDataHeader,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import {
  FRAME_OVERHEAD_BYTES,
  FRAME_WORK_BYTES,
  LINK_BACKLOG_HIGH_BYTES,
  LINK_BACKLOG_LOW_BYTES,
  MAX_CONTROL_BACKLOG_BYTES,
  MAX_DATA_BYTES,
  MAX_FRAME_BYTES,
  SOCKET_BACKLOG_BYTES,
  TURN_WORK_BYTES,
} from '../../../src/tunnel/protocol/limits.ts'
import type { Message } from '../../../src/tunnel/protocol/message.ts'
import { until } from '../../helpers/until.ts'
import { Loopback, type LinkEnd } from '../helpers/loopback.ts'
import { turns } from '../helpers/party.ts'
import { RawPeer } from '../helpers/raw-peer.ts'

/** What either transport says of a message beyond MAX_FRAME_BYTES. */
const TOO_LARGE = /^(a message of 65543 bytes|Max payload size exceeded)$/

let loopback: Loopback
const peers: RawPeer[] = []

beforeAll(async () => {
  loopback = await Loopback.start()
})

afterEach(() => {
  for (const peer of peers.splice(0)) peer.vanish()
})

afterAll(() => loopback.close())

function message(stream: number, payload: Buffer): Message {
  const header = encodeDataHeader(stream)
  return { chunks: [header, payload], bytes: header.length + payload.length }
}

/** Sends so much that something waits, and then that the link has nothing but what its socket holds. */
async function filled(link: Link, { raw }: LinkEnd): Promise<void> {
  const frame = message(1, Buffer.alloc(MAX_DATA_BYTES))
  for (let quiet = 0; quiet < 20; quiet = link.backlog > 0 ? quiet + 1 : 0) {
    if (link.backlog === 0) link.sendData(1, frame)
    await turn()
  }
  link.drop(1)
  expect(raw.writableLength).toBeGreaterThan(0)
}

/** A link with a peer that does what the test says, and what the link's owner hears. */
async function linked(pace?: Pace): Promise<{
  link: Link
  peer: RawPeer
  near: LinkEnd
  frames: LinkFrame[]
  relieved: { times: number }
  closed: Promise<string>
}> {
  const { near, peer: far } = await loopback.dialledByPeer()
  const peer = new RawPeer(far)
  peers.push(peer)
  const link = new Link(near.socket)
  const frames: LinkFrame[] = []
  const relieved = { times: 0 }
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  const handler: LinkHandler = {
    frame: (frame) => void frames.push(frame),
    relieved: () => relieved.times++,
    closed: resolve,
  }
  link.attach(handler, pace)
  return { link, peer, near, frames, relieved, closed }
}

test('a PING is answered with a PONG of the same token, and neither reaches the owner', async () => {
  const { peer, frames } = await linked()
  peer.send(encodePing(42n), encodePong(43n))
  expect(await peer.next('pong')).toEqual({ type: 'pong', token: 42n })
  expect(frames).toEqual([])
})

test('what several reads of one turn of the event loop bring goes out by one write', async () => {
  const { link, near, peer } = await linked()
  let writes = 0
  const uncork = near.socket.uncork.bind(near.socket)
  near.socket.uncork = () => {
    if (near.raw.writableLength > 0) writes++
    uncork()
  }
  link.sendData(1, message(1, Buffer.from('first')))
  // What Node.js does after each read.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  link.sendData(1, message(1, Buffer.from('second')))
  await until(() => peer.count('data') === 2)
  expect(writes).toBe(1)
})

test('frames of types that may be skipped are skipped', async () => {
  const { peer, frames } = await linked()
  peer.send(Buffer.from('ff0000000001beef', 'hex'), encodeCtrl('after'))
  await peer.settled()
  expect(frames).toEqual([{ type: 'ctrl', message: 'after' }])
})

test.each([
  ['garbage', Buffer.from('garbage'), 'unknown frame type 0x67'],
  ['an empty message', Buffer.alloc(0), 'a frame of 0 bytes has no header'],
])('%s ends the link, and the peer is told why', async (_name, message, reason) => {
  const { peer, frames, closed } = await linked()
  peer.send(message, encodeCtrl('too late'))
  expect(await peer.next('goaway')).toEqual({
    type: 'goaway',
    code: GOAWAY_CODES.PROTOCOL,
    afterMs: 0,
    message: reason,
  })
  expect(await peer.closed).toMatchObject({ code: 1000 })
  expect(await closed).toBe(reason)
  expect(frames).toEqual([])
})

test('a message larger than any frame closes the WebSocket with 1009', async () => {
  const { peer, closed } = await linked()
  peer.send(Buffer.alloc(MAX_FRAME_BYTES + 1))
  expect(await peer.closed).toMatchObject({ code: 1009 })
  expect(await closed).toMatch(TOO_LARGE)
})

test('a text message closes the WebSocket with 1003', async () => {
  const { peer, closed } = await linked()
  peer.send('hello')
  expect(await peer.closed).toMatchObject({ code: 1003 })
  expect(await closed).toBe('a text message')
})

test('a link ends within seconds though the peer, which broke the rules, never answers the close', async () => {
  const { peer, near, closed } = await linked()
  const started = performance.now()
  peer.send(Buffer.alloc(MAX_FRAME_BYTES + 1))
  peer.stopReading()
  expect(await closed).toMatch(TOO_LARGE)
  expect(performance.now() - started).toBeLessThan(20_000)
  expect(near.raw.destroyed).toBe(true)
})

test('a GOAWAY says why the link ended at the other end', async () => {
  const { dialled, accepted } = await loopback.pair()
  const [hub, agent] = [new Link(accepted.socket), new Link(dialled.socket)]
  const heard: LinkFrame[] = []
  const ends = [hub, agent].map(
    (link) =>
      new Promise<string>((resolve) => link.attach({ frame: (frame) => heard.push(frame), closed: resolve })),
  )
  hub.close(GOAWAY_CODES.SHUTDOWN, 'the hub is shutting down', 1500)
  expect(hub.isOpen).toBe(false)
  expect(await Promise.all(ends)).toEqual(['the hub is shutting down', 'the hub is shutting down'])
  expect(heard).toEqual([
    { type: 'goaway', code: GOAWAY_CODES.SHUTDOWN, afterMs: 1500, message: 'the hub is shutting down' },
  ])
})

test('closing twice, or after the end, changes nothing', async () => {
  const { link, peer, closed } = await linked()
  link.close(GOAWAY_CODES.REVOKED, 'first')
  link.close(GOAWAY_CODES.SHUTDOWN, 'second')
  expect(await closed).toBe('first')
  link.terminate('third')
  link.sendControl(encodeCtrl('too late'))
  link.sendData(1, message(1, Buffer.from('too late')))
  await peer.closed
  expect(peer.heard.map((frame) => frame.type)).toEqual(['goaway'])
  expect(link.backlog).toBe(0)
})

test('a peer that vanishes ends the link', async () => {
  const { link, peer, closed } = await linked()
  peer.vanish()
  expect(await closed).not.toBe('')
  expect(link.isOpen).toBe(false)
})

test('what is queued as control goes out before the goodbye', async () => {
  const { link, peer } = await linked()
  link.sendControl(encodeCtrl('last words'))
  link.close(GOAWAY_CODES.SHUTDOWN, 'bye')
  await peer.closed
  expect(peer.heard.map((frame) => frame.type)).toEqual(['ctrl', 'goaway'])
})

test('a frame that nobody waits for goes out with the next that is sent, or a moment later', async () => {
  const { link, peer } = await linked()
  const heard = () => peer.heard.map((frame) => frame.type === 'ctrl' && frame.message)
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    link.sendLazily(encodeCtrl('first'))
    await turns(20)
    expect(heard()).toEqual([])
    link.sendControl(encodeCtrl('second'))
    for (let left = 2; left > 0; left--) await peer.next('ctrl')
    link.sendLazily(encodeCtrl('third'))
    vi.advanceTimersByTime(10)
    await peer.next('ctrl')
    expect(heard()).toEqual(['first', 'second', 'third'])
  } finally {
    vi.useRealTimers()
  }
})

test('frames that come before anyone listens are kept, in order, and handed over after the constructor that attaches', async () => {
  const { near, peer: far } = await loopback.dialledByPeer()
  const peer = new RawPeer(far)
  peers.push(peer)
  const link = new Link(near.socket)
  peer.send(encodeCtrl(1), encodeCtrl(2), encodePing(5n))
  await turn()
  class AgentRef {
    readonly heard: unknown[] = []
    constructor() {
      link.attach({
        frame: (frame) => this.heard.push(frame.type === 'ctrl' && frame.message, this.isMade),
        closed() {},
      })
      this.isMade = true
    }
    readonly isMade: boolean
  }
  const owner = new AgentRef()
  peer.send(encodeCtrl(3))
  await peer.next('pong')
  await peer.settled()
  expect(owner.heard).toEqual([1, true, 2, true, 3, true])
})

test('a link that closed before anyone listened says so to whoever attaches', async () => {
  const { dialled, accepted } = await loopback.pair()
  const link = new Link(accepted.socket)
  dialled.raw.destroy()
  await until(() => accepted.raw.destroyed)
  await turn()
  const { promise, resolve } = Promise.withResolvers<string>()
  link.attach({ frame() {}, closed: resolve })
  expect(await promise).toBe('closed without a close frame')
})

test('to a peer that asks and asks and never reads the answers, one answer waits', async () => {
  const { link, peer, near, frames } = await linked()
  peer.stopReading()
  // The kernel takes some megabytes before anything waits here.
  await filled(link, near)
  for (let i = 0; i < 50; i++) {
    peer.send(...Array.from({ length: 1000 }, (_, token) => encodePing(BigInt(token))))
    await turn()
  }
  peer.send(encodeCtrl('seen'))
  await until(() => frames.length > 0)
  expect(link.backlog).toBe(14 + FRAME_OVERHEAD_BYTES)
  expect(near.raw.writableLength).toBeLessThan(2 * SOCKET_BACKLOG_BYTES)
  peer.readAgain()
  await peer.settled()
})

test('a peer that has more and more to hear and never reads it loses the link, and costs little memory', async () => {
  const { link, peer, near, closed } = await linked()
  let most = 0
  peer.stopReading()
  for (let i = 0; i < 100_000 && link.isOpen; i++) {
    link.sendControl(encodeCtrl('x'.repeat(500)))
    if (i % 100 === 0) await turn()
    most = Math.max(most, near.raw.writableLength + link.backlog)
  }
  expect(await closed).toBe('the peer does not read')
  expect([link.backlog, most < 1.1 * MAX_CONTROL_BACKLOG_BYTES]).toEqual([0, true])
})

test('a peer that sends frames without end waits for the next turn after its share of one, and other links do not', async () => {
  const { peer, frames } = await linked()
  const other = await linked()
  const share = TURN_WORK_BYTES / FRAME_WORK_BYTES
  const many = 20 * share
  const windows = Array.from({ length: many }, (_, index) => encodeWindow(2, index, index))
  const seen: number[] = []
  const watch = () => {
    seen.push(frames.length)
    if (frames.length < many) setImmediate(watch)
  }
  setImmediate(watch)
  peer.send(...windows)
  other.peer.send(encodeCtrl('beside'))
  await until(() => frames.length === many)
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0))
  expect(Math.max(...steps)).toBeLessThanOrEqual(2 * share)
  expect(other.frames).toHaveLength(1)
  expect(frames.map((frame) => frame.type === 'window' && frame.consumed)).toEqual([...windows.keys()])
})

test('links that share a pace share its turns', async () => {
  const pace = new Pace()
  const both = [await linked(pace), await linked(pace)]
  const share = TURN_WORK_BYTES / FRAME_WORK_BYTES
  const count = () => both[0]!.frames.length + both[1]!.frames.length
  let [before, most] = [0, 0]
  const watch = () => {
    most = Math.max(most, count() - before)
    before = count()
    if (before < 20 * share) setImmediate(watch)
  }
  setImmediate(watch)
  for (const { peer } of both)
    peer.send(...Array.from({ length: 10 * share }, (_, index) => encodeWindow(2, index, index)))
  await until(() => count() === 20 * share)
  expect(most).toBeLessThanOrEqual(2 * share)
})

test('what came before a link was closed is dealt with first, however much it is', async () => {
  const { peer, frames, closed } = await linked()
  const many = 20 * (TURN_WORK_BYTES / FRAME_WORK_BYTES)
  peer.send(...Array.from({ length: many }, (_, index) => encodeWindow(2, index, index)))
  peer.send(encodeGoaway(GOAWAY_CODES.SHUTDOWN, 0, 'goodbye'))
  peer.hangUp()
  expect(await closed).toBe('goodbye')
  expect(frames).toHaveLength(many + 1)
})

test('a link says that it is behind while control waits, and that it is not when all was read', async () => {
  const { link, peer } = await linked()
  expect(link.isBehind).toBe(false)
  peer.stopReading()
  const text = 'x'.repeat(500)
  for (let i = 0; i < 20_000 && !link.isBehind; i++) {
    link.sendControl(encodeRst(i + 1, 1, text))
    if (i % 100 === 0) await turn()
  }
  expect(link.isBehind).toBe(true)
  peer.readAgain()
  expect(await waitFor(() => !link.isBehind || undefined, { timeoutMs: 30_000, everyMs: 2 })).toBe(true)
  expect(link.isOpen).toBe(true)
})

test('a backlog of data is told once it is high, and relieved once it is low', async () => {
  const { link, peer, relieved } = await linked()
  const frame = () => message(1, Buffer.alloc(MAX_DATA_BYTES))
  peer.stopReading()
  let sent = 0
  for (; !link.isBackedUp && sent < 2000; sent++) {
    link.sendData(1, frame())
    if (sent % 10 === 0) await turn()
  }
  expect(link.backlog).toBeGreaterThan(LINK_BACKLOG_HIGH_BYTES)
  expect(relieved.times).toBe(0)
  peer.readAgain()
  await until(() => relieved.times > 0)
  expect(link.backlog).toBeLessThan(LINK_BACKLOG_LOW_BYTES)
  expect(link.isBackedUp).toBe(false)
  await until(() => peer.count('data') === sent)
  expect(relieved.times).toBe(1)
  expect(link.backlog).toBe(0)
})

test('control overtakes the data that waits, whatever the socket’s backlog is', async () => {
  const { link, peer } = await linked()
  peer.stopReading()
  let sent = 0
  for (; sent < 2000 && link.backlog < 2 ** 20; sent++) {
    link.sendData(1, message(1, Buffer.alloc(MAX_DATA_BYTES)))
    await turn()
  }
  link.sendControl(encodeCtrl('urgent'))
  peer.readAgain()
  await until(() => peer.count('data') === sent)
  const after = peer.heard.length - 1 - peer.heard.findIndex((frame) => frame.type === 'ctrl')
  expect(after).toBeGreaterThan(0)
})

test('a stream that is dropped sends nothing more, and the others go on', async () => {
  const { link, peer } = await linked()
  for (let i = 0; i < 50; i++)
    for (const stream of [1, 3]) link.sendData(stream, message(stream, Buffer.alloc(10)))
  link.drop(1)
  await until(() => peer.count('data') >= 50)
  await peer.settled()
  expect(peer.heard.filter((frame) => frame.type === 'data' && frame.stream === 1)).toEqual([])
  expect(peer.heard.filter((frame) => frame.type === 'data' && frame.stream === 3)).toHaveLength(50)
})
