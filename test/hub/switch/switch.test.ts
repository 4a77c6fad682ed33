import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { GOAWAY_CODES, STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeFin,
  encodeOpen,
  encodeOpenErr,
  encodeOpenOk,
  encodeRst,
  encodeWindow,
} from '../../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES } from '../../../src/tunnel/protocol/frames.ts'
import { MAX_DATA_BYTES } from '../../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW, MAX_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { Loopback } from '../../tunnel/helpers/loopback.ts'
import { join, open, Switched, type Member } from '../../tunnel/helpers/switched.ts'
import { encodeData } from '../../tunnel/helpers/whole-frames.ts'

let loopback: Loopback
let switched: Switched
let a: Member
let b: Member
let c: Member

beforeAll(async () => {
  loopback = await Loopback.start()
})

beforeEach(async () => {
  switched = new Switched(loopback)
  a = await switched.join('a')
  b = await switched.join('b')
  c = await switched.join('c')
})

afterEach(() => switched.close())

afterAll(() => loopback.close())

const hello = Buffer.from('hello')

/** Proves that a stream goes on: bytes pass both ways. */
async function passes(opener: Member, number: number, acceptor: Member, far: number): Promise<void> {
  opener.peer.send(encodeData(number, hello))
  expect(await acceptor.peer.next('data')).toEqual({ type: 'data', stream: far, payload: hello })
  acceptor.peer.send(encodeData(far, hello))
  expect(await opener.peer.next('data')).toEqual({ type: 'data', stream: number, payload: hello })
}

async function allSettled(): Promise<void> {
  await Promise.all([a, b, c].map(({ peer }) => peer.settled()))
}

test('an OPEN reaches the service’s link under a number of the hub’s, and says who opens it', async () => {
  const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  a.peer.send(encodeOpen(5, key, 300_000, 'b', { from: 'agent_of_somebody_else' }))
  const expected = { type: 'open', stream: 2, key, limit: 300_000, service: 'b', from: 'agent_of_a', hops: 0 }
  expect(await b.peer.next('open')).toEqual(expected)
  b.peer.send(encodeOpenOk(2, 400_000))
  expect(await a.peer.next('openOk')).toEqual({ type: 'openOk', stream: 5, limit: 400_000 })
  await passes(a, 5, b, 2)
})

test('flags pass as they are', async () => {
  const flagged = (frame: Buffer) => Buffer.from(frame).fill(0x55, 1, 2)
  a.peer.send(flagged(open(1, 'b')), flagged(encodeData(1, hello)), flagged(encodeFin(1, 5)))
  const { stream } = await b.peer.next('open')
  b.peer.send(
    flagged(encodeOpenOk(stream, INITIAL_WINDOW)),
    flagged(encodeRst(stream, STREAM_CODES.PEER_RESET)),
  )
  await a.peer.next('rst')
  await b.peer.settled()
  expect(b.peer.flags.slice(0, 3)).toEqual([0x55, 0x55, 0x55])
  expect(a.peer.flags.slice(0, 2)).toEqual([0x55, 0x55])
})

test('a connection that has come through eight services before is opened another stream, and through nine is refused', async () => {
  const hops = (count: number) => encodeOpen(1, randomBytes(STREAM_KEY_BYTES), 0, 'b', { hops: count })
  a.peer.send(hops(9))
  expect(await a.peer.next('openErr')).toEqual({
    type: 'openErr',
    stream: 1,
    code: STREAM_CODES.LOOP,
    message: 'the connection has come through 9 services: it goes in a loop',
  })
  a.peer.send(hops(8))
  expect(await b.peer.next('open')).toMatchObject({ hops: 8 })
  expect(b.peer.count('open')).toBe(1)
})

test('bytes may follow an OPEN at once, without waiting for its answer', async () => {
  a.peer.send(open(1, 'b'), encodeData(1, hello), encodeFin(1, 5))
  const { stream } = await b.peer.next('open')
  expect(await b.peer.next('data')).toEqual({ type: 'data', stream, payload: hello })
  expect(await b.peer.next('fin')).toEqual({ type: 'fin', stream, offset: 5 })
})

test('streams of many links with the same number are kept apart', async () => {
  const [fromA, fromC] = [await join(a, 1, b, 'b'), await join(c, 1, b, 'b')]
  expect(fromA).not.toBe(fromC)
  await passes(a, 1, b, fromA)
  await passes(c, 1, b, fromC)
})

test('two links may open streams to each other at the same time', async () => {
  const there = await join(a, 1, b, 'b')
  const back = await join(b, 1, a, 'a')
  await passes(a, 1, b, there)
  await passes(b, 1, a, back)
})

test('an agent may reach a service of its own over the same link', async () => {
  const far = await join(a, 1, a, 'a')
  a.peer.send(encodeData(1, hello))
  expect(await a.peer.next('data')).toEqual({ type: 'data', stream: far, payload: hello })
  a.peer.send(encodeRst(far, STREAM_CODES.PEER_RESET))
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1 })
  expect(a.port.ends.size).toBe(0)
})

test('frames for a stream of another link touch nothing, and only DATA and FIN are answered', async () => {
  const far = await join(a, 1, b, 'b')
  for (const number of [1, far]) {
    c.peer.send(
      encodeData(number, hello),
      encodeFin(number, 0),
      encodeWindow(number, 0, MAX_WINDOW),
      encodeOpenOk(number, MAX_WINDOW),
      encodeOpenErr(number, STREAM_CODES.LIMIT, 'no'),
      encodeRst(number, STREAM_CODES.PEER_RESET),
    )
  }
  await allSettled()
  const answers = c.peer.heard.filter((frame) => frame.type === 'rst')
  expect(answers.map(({ stream, code }) => [stream, code])).toEqual(
    [1, far].map((number) => [number, STREAM_CODES.STREAM_UNKNOWN]),
  )
  expect(c.port.strays).toBe(12)
  expect([a.port.strays, b.port.strays]).toEqual([0, 0])
  for (const { peer } of [a, b])
    expect([peer.count('rst'), peer.count('window'), peer.count('data')]).toEqual([0, 0, 0])
  await passes(a, 1, b, far)
})

test('frames that come after a stream has ended don’t reach the far end', async () => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(encodeRst(1, STREAM_CODES.PEER_RESET, 'gone'), encodeData(1, hello))
  expect(await b.peer.next('rst')).toEqual({ type: 'rst', stream: far, code: 1, message: 'gone' })
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.STREAM_UNKNOWN })
  await allSettled()
  expect(b.peer.count('data')).toBe(0)
  expect([a.port.ends.size, b.port.ends.size]).toEqual([0, 0])
})

test('a sender that goes past its window loses that stream, and no other', async () => {
  const [far, other] = [await join(a, 1, b, 'b'), await join(a, 3, b, 'b')]
  const full = Buffer.alloc(MAX_DATA_BYTES)
  let sent = 0
  for (; sent + full.length <= INITIAL_WINDOW; sent += full.length) a.peer.send(encodeData(1, full))
  expect(sent).toBe(INITIAL_WINDOW)
  await a.peer.settled()
  expect(a.peer.count('rst')).toBe(0)
  a.peer.send(encodeData(1, Buffer.alloc(1)))
  const lost = { type: 'rst', code: STREAM_CODES.FLOW_CONTROL, message: '1 bytes past the window' }
  expect(await a.peer.next('rst')).toEqual({ ...lost, stream: 1 })
  expect(await b.peer.next('rst')).toEqual({ ...lost, stream: far })
  a.peer.send(encodeData(3, hello))
  await allSettled()
  const last = b.peer.heard.findLast((frame) => frame.type === 'data')
  expect(last).toEqual({ type: 'data', stream: other, payload: hello })
  expect([a.port.ends.size, b.port.ends.size]).toEqual([1, 1])
})

test('the acceptor is held to the window that the OPEN gave it', async () => {
  a.peer.send(open(1, 'b', 3))
  const { stream } = await b.peer.next('open')
  b.peer.send(encodeOpenOk(stream, INITIAL_WINDOW), encodeData(stream, hello))
  expect(await b.peer.next('rst')).toMatchObject({ code: STREAM_CODES.FLOW_CONTROL })
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.FLOW_CONTROL })
})

test.each([
  ['DATA after FIN', () => [encodeFin(1, 0), encodeData(1, hello)]],
  ['a second FIN', () => [encodeFin(1, 0), encodeFin(1, 0)]],
  ['a FIN that states more bytes than came', () => [encodeData(1, hello), encodeFin(1, 6)]],
  ['a FIN that states fewer bytes than came', () => [encodeData(1, hello), encodeFin(1, 4)]],
  ['a WINDOW for bytes that nobody has sent', () => [encodeWindow(1, 1, INITIAL_WINDOW)]],
  ['an OPEN_OK from the opener', () => [encodeOpenOk(1, INITIAL_WINDOW)]],
  ['an OPEN_ERR from the opener', () => [encodeOpenErr(1, STREAM_CODES.LIMIT, 'no')]],
])('%s resets the stream at both ends, and no other', async (_name, frames) => {
  const [far, other] = [await join(a, 1, b, 'b'), await join(a, 3, b, 'b')]
  a.peer.send(...frames())
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.PROTOCOL })
  a.peer.send(encodeData(3, hello))
  await allSettled()
  expect(b.peer.heard.filter((frame) => frame.type === 'data' && frame.stream === other)).toHaveLength(1)
  expect([a.peer.count('rst'), b.peer.count('rst')]).toEqual([1, 1])
})

test.each([
  ['a second OPEN_OK', (far: number) => encodeOpenOk(far, INITIAL_WINDOW)],
  ['an OPEN_ERR after OPEN_OK', (far: number) => encodeOpenErr(far, STREAM_CODES.LIMIT, 'no')],
])('%s resets the stream at both ends', async (_name, frame) => {
  const far = await join(a, 1, b, 'b')
  b.peer.send(frame(far))
  expect(await a.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.PROTOCOL })
})

test('an opener whose stream is reset before it was answered gets an OPEN_ERR', async () => {
  a.peer.send(open(1, 'b'))
  await b.peer.next('open')
  a.peer.send(encodeFin(1, 7))
  expect(await a.peer.next('openErr')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  expect(await b.peer.next('rst')).toMatchObject({ code: STREAM_CODES.PROTOCOL })
  expect(a.port.pendingOpens).toBe(0)
})

test.each([
  ['a number of the hub’s', () => open(2, 'b')],
  ['a number that is in use', () => open(1, 'b')],
])('an OPEN under %s ends the link, and its streams with it', async (_name, frame) => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(frame())
  expect(await a.peer.next('goaway')).toMatchObject({ code: GOAWAY_CODES.PROTOCOL })
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.LINK_LOST })
  await a.closed
  expect([a.port.ends.size, b.port.ends.size]).toEqual([0, 0])
})

test.each([
  ['an OPEN', (_far: number) => open(3, 'b', MAX_WINDOW + 1)],
  ['an OPEN_OK', (_far: number) => encodeOpenOk(1, MAX_WINDOW + 1)],
  ['a WINDOW', (_far: number) => encodeWindow(1, 0, MAX_WINDOW + 1)],
])('%s that gives a window of more than 16 MiB ends the link', async (_name, frame) => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(frame(far))
  expect(await a.peer.next('goaway')).toMatchObject({
    code: GOAWAY_CODES.PROTOCOL,
    message: `a window of ${MAX_WINDOW + 1} bytes`,
  })
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.LINK_LOST })
})

test('a link that is lost resets its streams at the other ends', async () => {
  const [far, back] = [await join(a, 1, b, 'b'), await join(c, 1, a, 'a')]
  expect(back).toBeGreaterThan(0)
  a.peer.vanish()
  expect(await b.peer.next('rst')).toMatchObject({ stream: far, code: STREAM_CODES.LINK_LOST })
  expect(await c.peer.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.LINK_LOST })
  expect([a.port.ends.size, b.port.ends.size, c.port.ends.size]).toEqual([0, 0, 0])
})

test('a service that refuses is heard with its own code and words', async () => {
  a.peer.send(open(1, 'b'))
  const { stream } = await b.peer.next('open')
  b.peer.send(encodeOpenErr(stream, STREAM_CODES.TARGET_REFUSED, 'nobody listens'))
  const refusal = { type: 'openErr', stream: 1, code: STREAM_CODES.TARGET_REFUSED, message: 'nobody listens' }
  expect(await a.peer.next('openErr')).toEqual(refusal)
  expect([a.port.ends.size, b.port.ends.size, a.port.pendingOpens]).toEqual([0, 0, 0])
})

test('an OPEN for a service that nobody has is refused', async () => {
  a.peer.send(open(1, 'nothing'))
  const refusal = { code: STREAM_CODES.SERVICE_UNKNOWN, message: 'there is no service "nothing"' }
  expect(await a.peer.next('openErr')).toEqual({ type: 'openErr', stream: 1, ...refusal })
  expect(a.port.ends.size).toBe(0)
})

test('an opener that gives up before the answer is heard at the service, and its late answer at nobody', async () => {
  a.peer.send(open(1, 'b'))
  const { stream } = await b.peer.next('open')
  a.peer.send(encodeRst(1, STREAM_CODES.PEER_RESET))
  expect(await b.peer.next('rst')).toMatchObject({ stream })
  b.peer.send(encodeOpenOk(stream, INITIAL_WINDOW))
  await allSettled()
  expect(a.peer.count('openOk')).toBe(0)
  expect(b.port.strays).toBe(1)
  expect(a.port.pendingOpens).toBe(0)
})

test('a stream is forgotten once each end has had the other’s last announcement', async () => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(encodeData(1, hello), encodeFin(1, 5))
  await b.peer.next('fin')
  b.peer.send(encodeWindow(far, 6, INITIAL_WINDOW + 6), encodeFin(far, 0))
  expect(await a.peer.next('window')).toMatchObject({ stream: 1, consumed: 6 })
  await a.peer.next('fin')
  await allSettled()
  expect([a.port.ends.size, b.port.ends.size]).toEqual([1, 1])
  a.peer.send(encodeWindow(1, 1, INITIAL_WINDOW + 1))
  expect(await b.peer.next('window')).toMatchObject({ stream: far, consumed: 1 })
  expect([a.port.ends.size, b.port.ends.size]).toEqual([0, 0])
})

test('the end can’t be acknowledged before it was sent', async () => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(encodeData(1, hello))
  await b.peer.next('data')
  b.peer.send(encodeWindow(far, 6, INITIAL_WINDOW + 6))
  expect(await a.peer.next('rst')).toMatchObject({ code: STREAM_CODES.PROTOCOL })
})

test('a WINDOW that brings no news is not passed on', async () => {
  const far = await join(a, 1, b, 'b')
  a.peer.send(encodeData(1, hello))
  await b.peer.next('data')
  for (const [consumed, limit] of [
    [5, INITIAL_WINDOW + 5],
    [5, INITIAL_WINDOW + 5],
    [2, INITIAL_WINDOW],
  ] as const) {
    b.peer.send(encodeWindow(far, consumed, limit))
  }
  await allSettled()
  const told = a.peer.heard.filter((frame) => frame.type === 'window')
  expect(told).toEqual([{ type: 'window', stream: 1, consumed: 5, limit: INITIAL_WINDOW + 5 }])
})
