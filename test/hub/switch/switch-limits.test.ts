import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SwitchOptions } from '../../../src/hub/switch/switch.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeFin,
  encodeOpenErr,
  encodeOpenOk,
  encodeResume,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES } from '../../../src/tunnel/protocol/frames.ts'
import {
  FRAME_OVERHEAD_BYTES,
  MAX_DATA_BYTES,
  MAX_GIVEN_UP,
  MAX_PENDING_OPENS,
  MAX_STREAMS,
} from '../../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW, MAX_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { Loopback } from '../../tunnel/helpers/loopback.ts'
import { turns } from '../../tunnel/helpers/party.ts'
import { join, open, Switched, type Member } from '../../tunnel/helpers/switched.ts'
import { encodeData } from '../../tunnel/helpers/whole-frames.ts'

let loopback: Loopback
const worlds: Switched[] = []

beforeAll(async () => {
  loopback = await Loopback.start()
})

afterEach(() => {
  for (const switched of worlds.splice(0)) switched.close()
})

afterAll(() => loopback.close())

async function world(
  names: readonly string[],
  options?: SwitchOptions,
): Promise<{ switched: Switched; members: Member[] }> {
  const switched = new Switched(loopback, options)
  worlds.push(switched)
  const members: Member[] = []
  for (const name of names) members.push(await switched.join(name))
  return { switched, members }
}

async function three(options?: SwitchOptions): Promise<[Member, Member, Member]> {
  return (await world(['a', 'b', 'c'], options)).members as [Member, Member, Member]
}

/** Node's own garbage collector, to be called: what it leaves is in use. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

async function until(condition: () => boolean): Promise<void> {
  const isMet = await waitFor(() => condition() || undefined, { timeoutMs: 30_000, everyMs: 2 })
  if (!isMet) throw new Error(`never: ${condition.toString()}`)
}

/** Sends bytes on a stream, and waits until the hub has them. */
async function pour(member: Member, stream: number, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= MAX_DATA_BYTES) {
    member.peer.send(encodeData(stream, Buffer.alloc(Math.min(left, MAX_DATA_BYTES))))
  }
  await member.peer.settled()
}

/** @returns what waits for a member that doesn't read, once its socket takes nothing more of that */
async function stuckBacklog({ port: { link } }: Member): Promise<number> {
  for (let last = -1; last !== link.backlog; await turns(10)) last = link.backlog
  return link.backlog
}

/** Sends bytes to a member that doesn't read until some wait, so that its socket takes nothing more. */
async function fill(from: Member, stream: number, to: Member): Promise<void> {
  to.peer.readAgain()
  await join(from, stream, to, 'b', { acceptor: MAX_WINDOW })
  to.peer.stopReading()
  for (let i = 0; i < 60 && (await stuckBacklog(to)) < 2 ** 20; i++)
    await pour(from, stream, 4 * MAX_DATA_BYTES)
  expect(to.port.link.backlog).toBeGreaterThan(0)
}

/** Streams to b with the largest windows, the first of them 1, and more bytes than the hub can get rid of. */
async function backedUp(a: Member, b: Member): Promise<{ far: number; frames: number }> {
  const ends: number[] = []
  for (const stream of [1, 101, 103, 105]) ends.push(await join(a, stream, b, 'b', { acceptor: MAX_WINDOW }))
  b.peer.stopReading()
  let frames = 0
  for (const stream of [1, 101, 103, 105]) {
    // The kernel takes some megabytes, how many is its own affair.
    for (let sent = 0; sent < 15 && (await stuckBacklog(b)) < 6 * 2 ** 20; sent++) {
      await pour(a, stream, 32 * MAX_DATA_BYTES)
      frames += 32
      for (let last = -1; last !== b.port.link.backlog;) {
        last = b.port.link.backlog
        await a.peer.settled()
      }
    }
  }
  expect(b.port.link.isBackedUp).toBe(true)
  return { far: ends[0]!, frames }
}

test('an OPEN that nobody answers in time is refused, and the service hears that it is over', async () => {
  const [a, b] = await three({ openTimeoutMs: 20 })
  a.peer.send(open(1, 'b'))
  const { stream } = await b.peer.next('open')
  expect(await a.peer.next('openErr')).toMatchObject({ stream: 1, code: STREAM_CODES.TIMEOUT })
  expect(await b.peer.next('rst')).toMatchObject({ stream, code: STREAM_CODES.TIMEOUT })
  b.peer.send(encodeOpenOk(stream, INITIAL_WINDOW))
  await Promise.all([a.peer.settled(), b.peer.settled()])
  expect(a.peer.count('openOk')).toBe(0)
  expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
})

test('a stream that was answered has no time limit', async () => {
  const [a, b] = await three({ openTimeoutMs: 20 })
  const far = await join(a, 1, b, 'b')
  a.peer.send(open(3, 'b'))
  // When this one has timed out, the first would have, too.
  await a.peer.next('openErr')
  a.peer.send(encodeData(1, Buffer.from('still here')))
  expect(await b.peer.next('data')).toMatchObject({ stream: far })
})

test('256 OPENs of a link may wait for their answers; another is refused until one is answered', async () => {
  const [a, b] = await three()
  for (let i = 0; i <= MAX_PENDING_OPENS; i++) a.peer.send(open(1 + 2 * i, 'b'))
  expect(await a.peer.next('openErr')).toMatchObject({
    stream: 1 + 2 * MAX_PENDING_OPENS,
    code: STREAM_CODES.LIMIT,
  })
  await b.peer.settled()
  expect(b.peer.count('open')).toBe(MAX_PENDING_OPENS)
  expect(a.port.pendingOpens).toBe(MAX_PENDING_OPENS)
  b.peer.send(encodeOpenOk(2, INITIAL_WINDOW), encodeOpenErr(4, STREAM_CODES.TARGET_REFUSED, ''))
  await a.peer.next('openOk')
  await a.peer.next('openErr')
  for (const number of [3001, 3003, 3005]) a.peer.send(open(number, 'b'))
  expect(await a.peer.next('openErr')).toMatchObject({ stream: 3005, code: STREAM_CODES.LIMIT })
})

/** Opens streams that are answered, under numbers from `first` on. */
async function openMany(
  from: Member,
  first: number,
  count: number,
  to: Member,
  service: string,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    from.peer.send(open(first + 2 * i, service))
    to.peer.send(encodeOpenOk((await to.peer.next('open')).stream, INITIAL_WINDOW))
    if (i % 100 === 0) await from.peer.settled()
  }
  await from.peer.settled()
}

/** What one agent may have of the streams of another one’s link. */
const ALONE = 768

test('a link has 1,024 streams at a time, wherever they lead', async () => {
  const [a, b, c] = await three()
  await openMany(a, 1, ALONE, b, 'b')
  await openMany(a, 3001, MAX_STREAMS - ALONE, c, 'c')
  expect(a.port.ends.size).toBe(MAX_STREAMS)
  a.peer.send(open(9001, 'c'))
  expect(await a.peer.next('openErr')).toMatchObject({
    stream: 9001,
    code: STREAM_CODES.LIMIT,
    message: 'this link has 1024 streams open',
  })
  a.peer.send(encodeRst(1, STREAM_CODES.PEER_RESET), open(9003, 'c'))
  expect(await c.peer.next('open')).toMatchObject({ service: 'c' })
})

test('an agent gets three quarters of a service’s streams over all its links, and whoever comes later gets in', async () => {
  const { switched, members } = await world(['a', 'b', 'c'])
  const [a, b, c] = members as [Member, Member, Member]
  const second = await switched.join('a again', 'agent_of_a')
  await openMany(a, 1, ALONE / 2, b, 'b')
  await openMany(second, 1, ALONE / 2, b, 'b')
  for (const one of [a, second]) {
    one.peer.send(open(9001, 'b'))
    expect(await one.peer.next('openErr')).toMatchObject({
      stream: 9001,
      code: STREAM_CODES.LIMIT,
      message: 'this machine has 768 of 1024 streams of the service’s agent; the rest is for others',
    })
  }
  // Three quarters of what the first one leaves, and so on.
  await openMany(c, 1, 192, b, 'b')
  c.peer.send(open(9001, 'b'))
  expect(await c.peer.next('openErr')).toMatchObject({ stream: 9001, code: STREAM_CODES.LIMIT })
  const late = await switched.join('late')
  await openMany(late, 1, 48, b, 'b')
  // What was given back is anyone’s.
  for (let i = 0; i < 200; i++) a.peer.send(encodeRst(1 + 2 * i, STREAM_CODES.PEER_RESET))
  await a.peer.settled()
  await openMany(late, 1001, 80, b, 'b')
})

test('what an agent has of a service’s streams it has no more of by bringing them as streams that go on', async () => {
  const { switched, members } = await world(['a', 'b'], { resumeMs: 30_000 })
  const [a, b] = members as [Member, Member]
  switched.hub.ready(b.port)
  await openMany(a, 1, ALONE, b, 'b')
  const beginning = { received: 0, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: false }
  a.peer.send(encodeResume(9001, randomBytes(STREAM_KEY_BYTES), beginning, 'b'))
  expect(await a.peer.next('openErr')).toMatchObject({ stream: 9001, code: STREAM_CODES.LIMIT })
  expect(b.port.ends.size).toBe(ALONE)
})

test('when the service’s link is lost, the OPENs that wait for it are refused', async () => {
  const [a, b] = await three()
  a.peer.send(open(1, 'b'), open(3, 'b'))
  await b.peer.next('open')
  b.peer.vanish()
  for (const stream of [1, 3]) {
    expect(await a.peer.next('openErr')).toMatchObject({ stream, code: STREAM_CODES.LINK_LOST })
  }
  expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
})

test('when the opener’s link is lost, the service hears that the streams it has not answered are over', async () => {
  const [a, b] = await three()
  a.peer.send(open(1, 'b'))
  const { stream } = await b.peer.next('open')
  a.peer.vanish()
  expect(await b.peer.next('rst')).toMatchObject({ stream, code: STREAM_CODES.LINK_LOST })
  expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
})

test('a WINDOW waits while the link that gives it is backed up, and the latest is told once it is not', async () => {
  const [a, b] = await three()
  const { far, frames } = await backedUp(a, b)
  b.peer.send(encodeWindow(far, 1000, MAX_WINDOW + 1000), encodeWindow(far, 2000, MAX_WINDOW + 2000))
  // Not the latest any more.
  b.peer.send(encodeWindow(far, 1500, MAX_WINDOW + 1500))
  await until(() => b.port.ends.get(far)!.other.window.acked === 2000)
  await a.peer.settled()
  expect(a.peer.count('window')).toBe(0)
  b.peer.readAgain()
  expect(await a.peer.next('window')).toEqual({
    type: 'window',
    stream: 1,
    consumed: 2000,
    limit: MAX_WINDOW + 2000,
  })
  await until(() => b.peer.count('data') === frames)
  await b.peer.settled()
  b.peer.send(encodeWindow(far, 3000, MAX_WINDOW + 3000))
  expect(await a.peer.next('window')).toMatchObject({ consumed: 3000 })
})

test('a WINDOW for bytes that nobody has sent resets the stream while the link is backed up, and the hub lives', async () => {
  const [a, b, c] = await three()
  const { far } = await backedUp(a, b)
  b.peer.send(encodeWindow(far, 2 ** 40, 2 ** 40 + 1))
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  b.peer.readAgain()
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.PROTOCOL })
  await c.peer.settled()
})

test('a link that is backed up slows nobody but those who send to it', async () => {
  const [a, b, c] = await three()
  await backedUp(a, b)
  const other = await join(a, 3, c, 'c')
  a.peer.send(encodeData(3, Buffer.alloc(1000)))
  expect(await c.peer.next('data')).toMatchObject({ stream: other })
  c.peer.send(encodeWindow(other, 1000, INITIAL_WINDOW + 1000))
  expect(await a.peer.next('window')).toMatchObject({ stream: 3, consumed: 1000 })
})

test.each([
  ['first', true],
  ['last', false],
])(
  'a stream is kept until both ends have been told, be the one that waits for it done %s',
  async (_name, isFirst) => {
    const [a, b] = await three()
    const { frames } = await backedUp(a, b)
    // A second stream on the same links, complete both ways but for what each still has to say.
    a.peer.send(open(3, 'b'), encodeFin(3, 0))
    await until(() => a.port.ends.has(3))
    const second = a.port.ends.get(3)!.other.number
    b.peer.send(encodeOpenOk(second, INITIAL_WINDOW), encodeFin(second, 0))
    await a.peer.next('fin')
    const fromB = async () => {
      b.peer.send(encodeWindow(second, 1, INITIAL_WINDOW + 1))
      await until(() => b.port.ends.get(second)?.other.window.done === true)
    }
    const fromA = async () => {
      a.peer.send(encodeWindow(3, 1, INITIAL_WINDOW + 1))
      await a.peer.settled()
    }
    await (isFirst ? fromB() : fromA())
    await (isFirst ? fromA() : fromB())
    expect([a.port.ends.has(3), b.port.ends.has(second)]).toEqual([true, true])
    b.peer.readAgain()
    expect(await a.peer.next('window')).toMatchObject({ stream: 3, consumed: 1 })
    expect(await b.peer.next('window')).toMatchObject({ stream: second, consumed: 1 })
    await until(() => b.peer.count('data') === frames)
    expect([a.port.ends.has(3), b.port.ends.has(second)]).toEqual([false, false])
  },
)

test('what a stream that was reset still had in the queue is dropped at once', async () => {
  const [a, b] = await three()
  await backedUp(a, b)
  const before = b.port.link.backlog
  expect(before).toBeGreaterThan(0)
  for (const stream of [1, 101, 103, 105]) a.peer.send(encodeRst(stream, STREAM_CODES.PEER_RESET))
  await a.peer.settled()
  // Four RSTs, and nothing else.
  expect(b.port.link.backlog).toBe(4 * (8 + FRAME_OVERHEAD_BYTES))
  b.peer.readAgain()
  expect(await b.peer.next('rst')).toMatchObject({ code: STREAM_CODES.PEER_RESET })
})

test('300 uploads to one link that does not read, each of a whole window, all wait', async () => {
  const [a, b] = await three()
  const streams = Array.from({ length: 300 }, (_, index) => 2 * index + 1)
  for (const stream of streams) await join(a, stream, b, 'b')
  b.peer.stopReading()
  for (const stream of streams) await pour(a, stream, INITIAL_WINDOW)
  await a.peer.settled()
  expect([a.peer.count('rst'), b.port.ends.size]).toEqual([0, 300])
})

test('when too much waits in all, the largest stream of the agent with most of it is reset, and nobody else’s', async () => {
  const [a, b, c] = await three({ backlogMaxBytes: 20_000_000 })
  for (const stream of [1, 3]) await join(a, stream, b, 'b', { acceptor: MAX_WINDOW })
  await join(a, 9, c, 'c', { acceptor: MAX_WINDOW })
  b.peer.stopReading()
  c.peer.stopReading()
  // The kernel takes some megabytes of each.
  await pour(a, 1, 14_000_000)
  await pour(a, 3, 4_000_000)
  expect(a.peer.count('rst')).toBe(0)
  await pour(a, 9, 16_000_000)
  // It is c's bytes that make it too much, and b who has most of them.
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.LIMIT })
  await a.peer.settled()
  expect([...a.port.ends.keys()]).toEqual([3, 9])
  expect(b.port.link.backlog + c.port.link.backlog).toBeLessThan(21_000_000)
})

test('what waits for one agent is bounded over all its links, and costs that agent’s largest streams alone', async () => {
  const { switched, members } = await world(['a', 'c'], { agentBacklogMaxBytes: 16_000_000 })
  const [a, c] = members as [Member, Member]
  const other = await join(a, 1, c, 'c')
  const greedy: Member[] = []
  // Each is filled up to below its even share, one after the other.
  for (let i = 0; i < 8; i++) {
    const link = await switched.join(`greedy ${i}`, 'agent_of_greedy')
    greedy.push(link)
    await join(a, 101 + 2 * i, link, `greedy ${i}`, { acceptor: MAX_WINDOW })
    link.peer.stopReading()
    await pour(a, 101 + 2 * i, 12_000_000)
  }
  await a.peer.settled()
  const waiting = greedy.reduce((sum, { port }) => sum + port.link.backlog, 0)
  expect(waiting).toBeLessThan(17_000_000)
  expect(a.peer.count('rst')).toBeGreaterThan(2)
  expect(a.port.ends.has(1)).toBe(true)
  a.peer.send(encodeData(1, Buffer.from('still here')))
  expect(await c.peer.next('data')).toMatchObject({ stream: other })
})

test('the stream that floods a link with tiny frames is reset, and not the one that comes after it', async () => {
  const [a, b, c] = await three({ agentBacklogMaxBytes: 4_000_000 })
  await join(a, 1, b, 'b', { acceptor: MAX_WINDOW })
  await join(c, 1, b, 'b', { acceptor: MAX_WINDOW })
  await fill(c, 3, b)
  for (let i = 0; i < 100 && a.peer.count('rst') === 0; i++) {
    a.peer.send(...Array.from({ length: 200 }, () => encodeData(1, Buffer.alloc(1))))
    c.peer.send(encodeData(1, Buffer.alloc(1000)))
    await Promise.all([a.peer.settled(), c.peer.settled()])
  }
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.LIMIT })
  await c.peer.settled()
  expect(c.peer.count('rst')).toBe(0)
})

test('a flood of WINDOWs towards a link that does not read waits there as one a stream, and costs it nothing', async () => {
  const [a, b] = await three()
  const far = await join(a, 1, b, 'b')
  b.peer.stopReading()
  await fill(a, 3, b)
  for (let limit = 1; limit <= 20_000; limit++) a.peer.send(encodeWindow(1, 0, INITIAL_WINDOW + limit))
  const before = b.port.link.backlog
  await a.peer.settled()
  expect(b.port.link.backlog - before).toBeLessThan(1000)
  b.peer.readAgain()
  await until(() =>
    b.peer.heard.some((frame) => frame.type === 'window' && frame.limit === INITIAL_WINDOW + 20_000),
  )
  b.peer.send(encodeData(far, Buffer.from('still here')))
  expect(await a.peer.next('data')).toMatchObject({ stream: 1 })
})

test('an agent that opens and gives up streams without end is refused more for a moment, and nobody else is', async () => {
  const [a, , c] = await three()
  for (let number = 1; number <= 2 * (MAX_GIVEN_UP + 200); number += 2)
    a.peer.send(open(number, 'b'), encodeRst(number, STREAM_CODES.PEER_RESET))
  expect(await a.peer.next('openErr')).toMatchObject({
    code: STREAM_CODES.LIMIT,
    message: 'too many streams were given up before they were answered',
  })
  c.peer.send(open(1, 'b'))
  await c.peer.settled()
  expect([c.port.ends.size, c.peer.count('openErr')]).toEqual([1, 0])
})

test('many tiny frames are held to the memory they take, not to the bytes they carry', async () => {
  const [a, b] = await three()
  await backedUp(a, b)
  const before = b.port.link.backlog
  for (let i = 0; i < 1000; i++) a.peer.send(encodeData(1, Buffer.alloc(1)))
  await a.peer.settled()
  expect(b.port.link.backlog - before).toBeGreaterThan(100_000)
})

test('a few bytes that wait do not keep the memory that they came in', async () => {
  const [a, b] = await three()
  await backedUp(a, b)
  // Of a type that the hub skips, so that each DATA comes in a read of its own.
  const skipped = Buffer.alloc(60_000, 0xff)
  const collect = collector()
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 1000; i++) {
    a.peer.send(encodeData(1, Buffer.alloc(1)), skipped)
    await a.peer.settled()
  }
  // What is not in use any more is given back soon after.
  await until(() => {
    collect()
    return process.memoryUsage().arrayBuffers - before < 20_000_000
  })
})

test('opening and resetting at full speed does not cost a slow service its link', async () => {
  const [a, b] = await three()
  const far = await join(a, 1, b, 'b')
  b.peer.stopReading()
  let number = 1
  const text = 'x'.repeat(500)
  // The kernel takes some megabytes before anything waits at the hub.
  for (let i = 0; i < 200 && a.peer.count('openErr') === 0; i++) {
    for (let j = 0; j < 500; j++) {
      number += 2
      a.peer.send(open(number, 'b'), encodeRst(number, STREAM_CODES.PEER_RESET, text))
    }
    await a.peer.settled()
  }
  expect(await a.peer.next('openErr')).toMatchObject({ code: STREAM_CODES.LIMIT })
  expect(b.port.link.isOpen).toBe(true)
  b.peer.readAgain()
  await b.peer.settled()
  a.peer.send(encodeData(1, Buffer.from('still here')), encodeFin(1, 10))
  await b.peer.next('fin')
  expect(b.peer.heard.findLast((frame) => frame.type === 'data')).toMatchObject({ stream: far })
})
