import { setImmediate as turn } from 'node:timers/promises'
import { expect, vi } from 'vitest'
import { RESUME_MS } from '../../../src/tunnel/protocol/limits.ts'
import { Mux } from '../../../src/tunnel/stream/mux.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'
import { Fuzzer } from './fuzz.ts'
import { SimulatedWire, turns } from './simulated-wire.ts'
import { SimulatedWorld } from './simulated-world.ts'

const TURN_FRAMES = 20

/** Two agents that talk, and beside them one that sends the hub whatever the fuzzer makes. */
export async function fuzzHub(frames: number, seed: number): Promise<void> {
  const world = new SimulatedWorld({ a: 30, b: 30 })
  const fuzzer = new Fuzzer(seed, ['a/fuzz', 'b/fuzz', 'c/fuzz', 'b/honest'], [world.a.id, world.b.id])
  const honest = await talk(world)
  try {
    let wire = world.intrude()
    let links = 1
    for (let sent = 0; sent < frames; sent++) {
      if (!wire.far.isOpen) {
        wire = world.intrude()
        links++
      }
      wire.inject('far', fuzzer.frame())
      if (sent % TURN_FRAMES > 0) continue
      wire.drain('far')
      answerStreams(world, fuzzer)
      await turn()
      // Deadlines are a part of what may go wrong.
      if (sent % 5000 === 0) vi.advanceTimersByTime(fuzzer.below(RESUME_MS))
      honest.exchange()
    }
    expect(links).toBeGreaterThan(frames / 5000)
    wire.cut('nobody')
    await honest.settled()
    for (const name of ['a', 'b'] as const)
      for (const stream of world[name].incoming.values()) if (stream !== honest.far) stream.reset(1)
    await turns(50)
    vi.advanceTimersByTime(2 * RESUME_MS)
    await turns(50)
    expect([world.a.mux.streamCount, world.b.mux.streamCount, world.hub.streamCount]).toEqual([1, 1, 1])
    expect(world.logged.filter((line) => line.includes('Bug'))).toEqual([])
  } finally {
    world.stop()
    vi.clearAllTimers()
  }
}

/** An agent whose hub sends whatever the fuzzer makes. */
export async function fuzzAgent(frames: number, seed: number): Promise<void> {
  const fuzzer = new Fuzzer(seed, ['web', 'other'], ['', 'agent_aaaaaaaaaaaaaaaa'])
  const mux = new Mux({
    open: (stream) => own(stream, fuzzer),
    ctrl() {},
    goaway() {},
    closed() {},
  })
  let wire: SimulatedWire | undefined
  let links = 0
  for (let sent = 0; sent < frames; sent++) {
    if (!wire?.near.isOpen) {
      wire?.cut('nobody')
      wire = new SimulatedWire(100)
      mux.connect(wire.near)
      links++
      await turn()
    }
    wire.inject('near', fuzzer.frame())
    if (sent % TURN_FRAMES > 0) continue
    wire.drain('near')
    if (wire.near.isOpen && mux.streamCount < 8) own(mux.open('web'), fuzzer)
    if (sent % 5000 === 0) vi.advanceTimersByTime(fuzzer.below(RESUME_MS))
    await turn()
  }
  expect(links).toBeGreaterThan(frames / 5000)
  wire?.cut('nobody')
  await turn()
  vi.advanceTimersByTime(2 * RESUME_MS)
  expect([mux.streamCount, mux.bytesHeld]).toEqual([0, { unacked: 0, growth: 0 }])
  vi.clearAllTimers()
}

/** Takes a stream or not, and does something with it. */
function own(stream: Stream, fuzzer: Fuzzer): void {
  let unread = 0
  stream.attach({
    data(chunk) {
      unread += chunk.length
      if (fuzzer.below(3) > 0) return
      stream.consumed(unread)
      unread = 0
    },
    end: () => stream.end(),
    drain() {},
    reset() {},
  })
  if (fuzzer.below(4) === 0) stream.refuse(4, 'no')
  else stream.accept()
  stream.write(Buffer.alloc(fuzzer.below(100_000)))
  if (fuzzer.below(5) === 0) stream.reset(1)
}

function answerStreams(world: SimulatedWorld, fuzzer: Fuzzer): void {
  for (const name of ['a', 'b'] as const) {
    for (const [key, stream] of world[name].incoming) {
      if (stream.service.endsWith('honest') && stream.from === world.a.id) continue
      world[name].incoming.delete(key)
      own(stream, fuzzer)
    }
  }
}

interface Talk {
  readonly far: Stream
  /** Sends something, and checks what has come so far. */
  exchange(): void
  settled(): Promise<void>
}

/** A stream that goes on whatever others do. */
async function talk(world: SimulatedWorld): Promise<Talk> {
  await turns(5)
  const near = world.a.mux.open('b/honest')
  const key = near.key.toString('hex')
  while (!world.b.incoming.has(key)) await turns(1)
  const far = world.b.incoming.get(key)!
  const count = { sent: 0, returned: 0 }
  const fail = (code: number, message: string) => {
    throw new Error(`the honest stream was reset: ${code} ${message}`)
  }
  const common = { end() {}, drain() {}, reset: fail }
  far.attach({
    ...common,
    data(chunk) {
      far.consumed(chunk.length)
      far.write(chunk)
    },
  })
  far.accept()
  near.attach({
    ...common,
    data(chunk) {
      near.consumed(chunk.length)
      for (const byte of chunk) if (byte !== count.returned++ % 251) throw new Error('a byte is out of place')
    },
  })
  // The answer is kept back for a moment: it has to be out before a deadline comes.
  vi.advanceTimersByTime(10)
  await turns(5)
  return {
    far,
    exchange() {
      near.write(Buffer.from(Array.from({ length: 50 }, () => count.sent++ % 251)))
    },
    async settled() {
      for (let i = 0; i < 1000 && count.returned < count.sent; i++) await turns(1)
      expect(count.returned).toBe(count.sent)
    },
  }
}
