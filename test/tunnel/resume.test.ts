import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'
import { RESUME_MS } from '../../src/tunnel/protocol/limits.ts'
import { Party } from './helpers/party.ts'
import { agentName, noReset, resetSometimes, streamPlan, type StreamPlan } from './helpers/plans.ts'
import { turns } from './helpers/simulated-wire.ts'
import { SimulatedWorld } from './helpers/simulated-world.ts'

// Deadlines pass when the test says so; everything else goes by turns of the event loop.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

type Trouble =
  | { readonly kind: 'cut'; readonly agent: 'a' | 'b'; readonly unaware: 'nobody' | 'near' | 'far' | 'both' }
  | { readonly kind: 'stall'; readonly agent: 'a' | 'b' }
  | { readonly kind: 'restart'; readonly unaware: boolean; readonly later: number }

interface Plan {
  /** Messages that pass in a turn, for each agent. */
  readonly speeds: { readonly a: number; readonly b: number }
  readonly streams: readonly StreamPlan[]
  readonly troubles: readonly (Trouble & { readonly after: number; readonly backAfter: number })[]
}

const soon = (most: number) => fc.oneof(fc.nat(3), fc.nat(most))
const when = { after: soon(40), backAfter: soon(30) }
const speed = fc.constantFrom(1, 2, 5, 30)
const trouble = fc.oneof(
  fc.record({
    ...when,
    kind: fc.constant('cut' as const),
    agent: agentName,
    unaware: fc.constantFrom('nobody' as const, 'near' as const, 'far' as const, 'both' as const),
  }),
  fc.record({ ...when, kind: fc.constant('stall' as const), agent: agentName }),
  fc.record({ ...when, kind: fc.constant('restart' as const), unaware: fc.boolean(), later: fc.nat(30) }),
)

function plan(reset: Parameters<typeof streamPlan>[0]): fc.Arbitrary<Plan> {
  return fc.record({
    speeds: fc.record({ a: speed, b: speed }),
    streams: fc.array(streamPlan(reset), { minLength: 1, maxLength: 3 }),
    troubles: fc.array(trouble, { minLength: 1, maxLength: 5 }),
  })
}

/** What became of one stream: its two ends, of which the acceptor's may never have come to be. */
interface Carried {
  readonly opener: Party
  acceptor: Party | undefined
}

/** @returns what came of it, filled in as it goes on */
function carry(
  world: SimulatedWorld,
  plan: StreamPlan,
  index: number,
): { carried: Promise<Carried>; over: () => boolean } {
  const far = plan.openedBy === 'a' ? 'b' : 'a'
  const state: { opener?: Party; acceptor?: Party; left: number } = { left: 2 }
  const open = async (): Promise<Carried> => {
    await turns(plan.opensAfter)
    while (!world[plan.openedBy].wire) await turns(1)
    const stream = world[plan.openedBy].mux.open(`${far}/${index}`)
    const opener = new Party(stream, plan.opener, index)
    const carried: Carried = { opener, acceptor: undefined }
    state.opener = opener
    const running = opener.run()
    const key = stream.key.toString('hex')
    while (!world[far].incoming.has(key) && !opener.isOver) await turns(1)
    await turns(plan.answersAfter)
    const accepting = world[far].incoming.get(key)
    if (accepting) {
      carried.acceptor = new Party(accepting, plan.acceptor, 10 + index)
      accepting.accept()
      await carried.acceptor.run()
    }
    await running
    state.left = 0
    return carried
  }
  return { carried: open(), over: () => state.left === 0 }
}

async function makeTrouble(world: SimulatedWorld, troubles: Plan['troubles']): Promise<void> {
  for (const one of troubles) {
    await turns(one.after)
    if (one.kind === 'cut') await world.cut(one.agent, one.unaware, one.backAfter)
    else if (one.kind === 'stall') world[one.agent].wire?.stall(one.backAfter)
    else {
      const { backAfter, later } = one
      await world.restart(one.unaware, { a: backAfter, b: backAfter + later })
    }
  }
}

async function carryAll(plan: Plan): Promise<Carried[]> {
  const world = new SimulatedWorld(plan.speeds)
  try {
    const streams = plan.streams.map((stream, index) => carry(world, stream, index))
    const quiet = { yes: false }
    const troubles = makeTrouble(world, plan.troubles).then(() => (quiet.yes = true))
    for (let waits = 0; !streams.every(({ over }) => over()) || !quiet.yes;) {
      await turns(1)
      // What a link keeps back for a moment goes out.
      vi.advanceTimersByTime(1)
      if (!quiet.yes || world.idle < 200) continue
      if (++waits > 4)
        throw new Error(
          `stuck: ${world.a.mux.streamCount} and ${world.b.mux.streamCount} streams at the ends`,
        )
      // Nothing moves any more: some wait for an end that won’t come.
      vi.advanceTimersByTime(RESUME_MS)
      world.idle = 0
    }
    await troubles
    const all = await Promise.all(streams.map(({ carried }) => carried))
    // A wire may still stand still, with the last word on it; or a link keeps that back for a moment.
    world.idle = 0
    while (world.idle < 20) {
      await turns(1)
      vi.advanceTimersByTime(1)
    }
    vi.advanceTimersByTime(2 * RESUME_MS)
    const left = [world.a.mux.streamCount, world.b.mux.streamCount, world.hub.streamCount]
    expect([...left, vi.getTimerCount()]).toEqual([0, 0, 0, 0])
    for (const { mux } of [world.a, world.b]) expect(mux.bytesHeld).toEqual({ unacked: 0, growth: 0 })
    expect(world.logged.filter((line) => line.includes('Bug'))).toEqual([])
    return all
  } finally {
    world.stop()
    vi.clearAllTimers()
  }
}

/** It was opened while the other agent was away. */
function wasOffline(opener: Party): boolean {
  return opener.heardReset === STREAM_CODES.AGENT_OFFLINE && opener.received.length === 0
}

/** What must hold of what `to` has received from `from`. */
function checkDirection(from: Party, to: Party): void {
  const received = Buffer.concat(to.received)
  expect(received.equals(from.text.subarray(0, received.length))).toBe(true)
  if (to.ended) expect(received.length).toBe(from.text.length)
  if (to.isDone) expect(to.ended).toBe(true)
}

test('whatever links are lost, and if the hub forgets everything: every byte arrives once and in order, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(plan(noReset), async (plan) => {
      for (const { opener, acceptor } of await carryAll(plan)) {
        if (wasOffline(opener)) continue
        for (const [me, peer] of [
          [opener, acceptor!],
          [acceptor!, opener],
        ] as const) {
          checkDirection(me, peer)
          expect([me.heardReset, me.ended, me.isDone]).toEqual([undefined, true, true])
        }
      }
    }),
    { numRuns: 1000, endOnFailure: true },
  )
})

test('a stream that either end resets while links are lost is reset at the other end, and no other is', async () => {
  await fc.assert(
    fc.asyncProperty(plan(resetSometimes), async (plan) => {
      for (const { opener, acceptor } of await carryAll(plan)) {
        if (!acceptor) {
          expect(opener.didReset || wasOffline(opener)).toBe(true)
          continue
        }
        for (const [me, peer] of [
          [opener, acceptor],
          [acceptor, opener],
        ] as const) {
          checkDirection(me, peer)
          if (me.didReset) expect(peer.isDone || peer.didReset || peer.heardReset !== undefined).toBe(true)
          if (me.heardReset !== undefined) expect(peer.didReset).toBe(true)
          if (!opener.didReset && !acceptor.didReset) expect([me.isDone, me.ended]).toEqual([true, true])
        }
      }
    }),
    { numRuns: 1000, endOnFailure: true },
  )
})
