import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'
import type { Stream } from '../../src/tunnel/stream/stream.ts'
import { Loopback } from './helpers/loopback.ts'
import { Party, turns, type PartyPlan } from './helpers/party.ts'
import { Relay } from './helpers/relay.ts'
import { WindowWatch } from './helpers/window-watch.ts'

let loopback: Loopback
let relay: Relay
let watches: WindowWatch[]

beforeAll(async () => {
  loopback = await Loopback.start()
  relay = await Relay.start(loopback)
  watches = [new WindowWatch(relay.a, 'a'), new WindowWatch(relay.b, 'b')]
})

afterAll(async () => {
  await relay.close()
  await loopback.close()
})

interface StreamPlan {
  readonly openedBy: 'a' | 'b'
  readonly opensAfter: number
  readonly answersAfter: number
  readonly opener: PartyPlan
  readonly acceptor: PartyPlan
}

/** For a while, one side of a link reads nothing. */
interface Stall {
  readonly agent: 'a' | 'b'
  readonly side: 'near' | 'hubSide'
  readonly after: number
  readonly turns: number
}

interface Plan {
  readonly streams: readonly StreamPlan[]
  readonly stalls: readonly Stall[]
}

const bytes = fc.oneof(fc.nat(20), fc.nat(70_000), fc.nat(400_000))
const agent = fc.constantFrom('a' as const, 'b' as const)

function party(reset: fc.Arbitrary<PartyPlan['reset']>): fc.Arbitrary<PartyPlan> {
  return fc.record({
    writes: fc.array(fc.record({ bytes, wait: fc.nat(4) }), { maxLength: 4 }),
    endWait: fc.nat(20),
    readWait: fc.nat(3),
    readPart: fc.integer({ min: 1, max: 4 }),
    reset,
  })
}

const never = fc.constant(undefined)
const sometimes = fc.option(
  fc.oneof(
    fc.record({ after: fc.constant('turns' as const), count: fc.nat(60) }),
    fc.record({ after: fc.constant('bytes' as const), count: bytes }),
  ),
  { nil: undefined, freq: 2 },
)

function plan(reset: fc.Arbitrary<PartyPlan['reset']>): fc.Arbitrary<Plan> {
  const stream = fc.record({
    openedBy: agent,
    opensAfter: fc.nat(10),
    answersAfter: fc.nat(15),
    opener: party(reset),
    acceptor: party(reset),
  })
  const stall = fc.record({
    agent,
    side: fc.constantFrom('near' as const, 'hubSide' as const),
    after: fc.nat(60),
    turns: fc.integer({ min: 1, max: 60 }),
  })
  return fc.record({
    streams: fc.array(stream, { minLength: 1, maxLength: 4 }),
    stalls: fc.array(stall, { maxLength: 3 }),
  })
}

async function stalled({ agent, side, after, turns: duration }: Stall): Promise<void> {
  const { raw } = relay[agent][side]
  await turns(after)
  raw.pause()
  await turns(duration)
  raw.resume()
}

async function carried(plan: StreamPlan, index: number): Promise<[Party, Party] | [Party]> {
  const [here, there] = plan.openedBy === 'a' ? [relay.a, relay.b] : [relay.b, relay.a]
  await turns(plan.opensAfter)
  const opening = here.mux.open(`stream-${index}`)
  const opener = new Party(opening, plan.opener, index)
  const running = opener.run()
  const accepting = await Promise.race([
    incoming(there, `stream-${index}`, opening),
    running.then(() => lateIncoming(here, there, opening)),
  ])
  if (!accepting) return [opener]
  await turns(plan.answersAfter)
  const acceptor = new Party(accepting, plan.acceptor, 10 + index)
  accepting.accept()
  await Promise.all([running, acceptor.run()])
  return [opener, acceptor]
}

const waiting = new Map<string, Stream>()
const arrivals = new EventTarget()

/** The stream of this name, as the other agent gets it. */
async function incoming(at: Relay['a'], name: string, opening: Stream): Promise<Stream> {
  at.onStream = arrived
  const other = at === relay.a ? relay.b : relay.a
  other.onStream = arrived
  expect(opening.service).toBe(name)
  for (;;) {
    const stream = waiting.get(opening.key.toString('hex'))
    if (stream) return stream
    await once(arrivals, 'stream')
  }
}

/** The stream that its opener is done with, unless its opener reset it before anybody heard of it. */
async function lateIncoming(
  here: Relay['a'],
  there: Relay['a'],
  opening: Stream,
): Promise<Stream | undefined> {
  const next = await incoming(there, 'next', here.mux.open('next'))
  next.refuse(STREAM_CODES.TARGET_REFUSED, 'nothing more')
  return waiting.get(opening.key.toString('hex'))
}

function arrived(stream: Stream): void {
  waiting.set(stream.key.toString('hex'), stream)
  arrivals.dispatchEvent(new Event('stream'))
}

/** What must hold of what `to` has received from `from`. */
function checkDirection(from: Party, to: Party): void {
  const received = Buffer.concat(to.received)
  expect(received.equals(from.text.subarray(0, received.length))).toBe(true)
  if (to.ended) expect(received.length).toBe(from.text.length)
  if (to.isDone) expect(to.ended).toBe(true)
  if (to.isDone) expect(to.heardReset).toBeUndefined()
}

async function run(plan: Plan): Promise<void> {
  waiting.clear()
  relay.a.onStream = arrived
  relay.b.onStream = arrived
  const all = Promise.all([Promise.all(plan.streams.map(carried)), ...plan.stalls.map(stalled)])
  // Here and not by the test's own time limit: then the seed would not be told.
  const streams = await Promise.race([
    all.then(([streams]) => streams),
    sleep(20_000, undefined, { ref: false }),
  ])
  if (!streams) throw new Error(`stuck with ${relay.remaining} streams`)
  for (const [one, other] of streams) {
    if (!other) {
      expect(one.didReset).toBe(true)
      continue
    }
    checkDirection(one, other)
    checkDirection(other, one)
    for (const [me, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      // What is reset at one end is reset at the other, unless that one had come to its end before.
      if (me.didReset)
        expect(peer.isDone || peer.didReset || peer.heardReset === STREAM_CODES.PEER_RESET).toBe(true)
      if (me.heardReset !== undefined) expect(peer.didReset).toBe(true)
      // Complete at one end means that the other has all of it.
      if (me.isDone) expect(Buffer.concat(peer.received).equals(me.text)).toBe(true)
      if (!one.didReset && !other.didReset) expect([me.isDone, me.ended]).toEqual([true, true])
    }
  }
  await relay.empty()
  expect(watches.flatMap(({ violations }) => violations)).toEqual([])
  expect([relay.a.port.pendingOpens, relay.b.port.pendingOpens]).toEqual([0, 0])
}

test('whatever the schedule of writes, reads, stalls and ends, every byte arrives once and in order, and nothing is left', async () => {
  await fc.assert(fc.asyncProperty(plan(never), run), { numRuns: 250, endOnFailure: true })
  expect(watches[0]!.bytes).toBeGreaterThan(1_000_000)
})

test('a stream that either end resets at any moment is reset at the other end, never cut short in silence', async () => {
  await fc.assert(fc.asyncProperty(plan(sometimes), run), { numRuns: 300, endOnFailure: true })
})
