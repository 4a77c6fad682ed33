import { afterAll, beforeAll, expect, test } from 'vitest'
import { Link } from '../../../src/tunnel/link/link.ts'
import { encodeDataHeader, encodePong } from '../../../src/tunnel/protocol/encode.ts'
import { DEAD_AFTER_PING_MS, MAX_DATA_BYTES, PING_AFTER_MS } from '../../../src/tunnel/protocol/limits.ts'
import { until } from '../../helpers/until.ts'
import { Loopback, type LinkEnd, type PeerEnd } from '../helpers/loopback.ts'
import { RawPeer } from '../helpers/raw-peer.ts'
import { SimulatedWire, turns } from '../helpers/simulated-wire.ts'
import { encodeData } from '../helpers/whole-frames.ts'

let loopback: Loopback

beforeAll(async () => {
  loopback = await Loopback.start()
})

afterAll(() => loopback.close())

/** A link whose clocks the test moves, one second at a time, as its owner's timer would. */
class Aging {
  readonly link: Link
  readonly peer: RawPeer
  readonly closed: Promise<string>
  readonly #near: LinkEnd
  // Whole numbers: sums of fractions may fall short of a limit.
  #now = Math.ceil(performance.now())
  #time = Date.now()

  constructor(near: LinkEnd, far: PeerEnd) {
    this.#near = near
    this.peer = new RawPeer(far)
    this.link = new Link(near.socket)
    this.closed = new Promise((resolve) => this.link.attach({ frame() {}, closed: resolve }))
    this.link.tick(this.#now, this.#time)
  }

  static async start(): Promise<Aging> {
    const { near, peer } = await loopback.dialledByPeer()
    return new Aging(near, peer)
  }

  age(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.#now += Math.min(1000, left)
      this.#time += Math.min(1000, left)
      this.link.tick(this.#now, this.#time)
    }
  }

  probe(withinMs: number): void {
    this.link.probe(withinMs, this.#now)
  }

  /** The machine sleeps: only the wall clock goes on, and nothing runs. */
  sleep(ms: number): void {
    this.#time += ms
    this.link.tick(this.#now, this.#time)
  }

  /** The process is stopped: both clocks go on, and nothing runs. */
  stop(ms: number): void {
    this.#now += ms
    this.#time += ms
    this.link.tick(this.#now, this.#time)
  }

  /** Lets the peer say something. */
  async hear(frame = encodePong(0n)): Promise<void> {
    const before = this.#near.raw.bytesRead
    this.peer.send(frame)
    await until(() => this.#near.raw.bytesRead > before)
  }

  /** How many PINGs have arrived, once those sent so far have. */
  async pings(): Promise<number> {
    await this.peer.settled()
    return this.peer.count('ping')
  }

  async end(): Promise<void> {
    this.peer.vanish()
    await this.closed
  }
}

test('a link that hears nothing asks after 14 s, once, and gives up 10 s later', async () => {
  const aging = await Aging.start()
  aging.age(PING_AFTER_MS)
  await aging.peer.next('ping')
  aging.age(DEAD_AFTER_PING_MS - 1000)
  expect(aging.link.isOpen).toBe(true)
  aging.age(1000)
  expect(aging.link.isOpen).toBe(false)
  expect(await aging.closed).toBe('no sign of life')
  await aging.peer.closed
  expect(aging.peer.count('ping')).toBe(1)
})

test('nothing is asked of a peer that was heard within 14 s', async () => {
  const aging = await Aging.start()
  for (let i = 0; i < 5; i++) {
    aging.age(PING_AFTER_MS - 1000)
    await aging.hear()
    aging.age(1000)
  }
  expect(await aging.pings()).toBe(0)
  await aging.end()
})

test('any byte keeps a link that has asked: the PONG may be stuck behind a bulk transfer', async () => {
  const aging = await Aging.start()
  for (let i = 0; i < 3; i++) {
    aging.age(PING_AFTER_MS + DEAD_AFTER_PING_MS - 1000)
    await aging.hear()
    aging.age(1000)
    expect(aging.link.isOpen).toBe(true)
  }
  expect(await aging.pings()).toBe(3)
  await aging.end()
})

test('a side that only receives says every 5 s that it lives, for as long as more than answers comes', async () => {
  const aging = await Aging.start()
  for (let second = 0; second < 20; second++) {
    await aging.hear(encodeData(2, Buffer.alloc(2000)))
    aging.age(1000)
  }
  expect(await aging.pings()).toBe(4)
  aging.age(1000)
  for (let second = 0; second < 40; second++) {
    await aging.hear()
    aging.age(1000)
  }
  expect(await aging.pings()).toBe(4)
  await aging.end()
})

test('a sender whose own question is stuck behind what it sends hears from a receiver that has nothing to say', async () => {
  // A frame of 64 KiB takes 6 s, and two to three are ahead of whatever is asked.
  const wire = new SimulatedWire(1)
  const ends: string[] = []
  let received = 0
  wire.near.attach({ frame() {}, closed: (reason) => ends.push(reason) })
  wire.far.attach({ frame: () => received++, closed: (reason) => ends.push(reason) })
  const payload = Buffer.alloc(MAX_DATA_BYTES)
  for (let i = 0; i < 20; i++) {
    wire.near.sendData(1, { chunks: [encodeDataHeader(1), payload], bytes: 6 + payload.length })
  }
  let [now, time] = [Math.ceil(performance.now()), Date.now()]
  for (let second = 0; second < 300; second++) {
    await turns(1)
    if (second % 6 === 0) wire.step()
    for (const link of [wire.near, wire.far]) link.tick(now, time)
    now += 1000
    time += 1000
  }
  expect([ends, received]).toEqual([[], 20])
})

test('after a sleep the peer is asked at once, and given its 10 s', async () => {
  const aging = await Aging.start()
  aging.sleep(3_600_000)
  await aging.peer.next('ping')
  aging.age(DEAD_AFTER_PING_MS - 1000)
  expect(aging.link.isOpen).toBe(true)
  aging.age(1000)
  expect(await aging.closed).toBe('no sign of life')
})

test('a sleep while an answer was due is not taken for death: the peer is asked anew', async () => {
  const aging = await Aging.start()
  aging.age(PING_AFTER_MS + 1000)
  await aging.peer.next('ping')
  aging.stop(3_600_000)
  expect(aging.link.isOpen).toBe(true)
  await aging.peer.next('ping')
  aging.age(DEAD_AFTER_PING_MS - 1000)
  expect(aging.link.isOpen).toBe(true)
  aging.age(1000)
  expect(await aging.closed).toBe('no sign of life')
})

test('a peer that is asked for a reason has the time that it is given, and one that answers its usual time again', async () => {
  const aging = await Aging.start()
  aging.probe(3000)
  await aging.peer.next('ping')
  await aging.hear()
  aging.age(PING_AFTER_MS + DEAD_AFTER_PING_MS - 1000)
  expect(aging.link.isOpen).toBe(true)
  await aging.hear()
  aging.age(1000)
  aging.probe(3000)
  aging.age(2000)
  expect(aging.link.isOpen).toBe(true)
  aging.age(1000)
  expect(await aging.closed).toBe('no sign of life')
})

test('a clock that is set back changes nothing', async () => {
  const aging = await Aging.start()
  aging.sleep(-3_600_000)
  aging.age(PING_AFTER_MS - 2000)
  expect(await aging.pings()).toBe(0)
  await aging.end()
})
