import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { encodeCtrl, encodeOpenOk, encodePing } from '../../src/tunnel/protocol/encode.ts'
import { MAX_DATA_BYTES, MAX_LINKS } from '../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW, MAX_WINDOW } from '../../src/tunnel/protocol/window-size.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'
import { FLOODS } from '../tunnel/helpers/floods.ts'
import { batch, type RawPeer } from '../tunnel/helpers/raw-peer.ts'
import { RealHub } from '../tunnel/helpers/real-hub.ts'
import { open } from '../tunnel/helpers/switched.ts'
import { encodeData } from '../tunnel/helpers/whole-frames.ts'
import { Innocent, serveEcho } from './helpers/echo-member.ts'
import { residentBytes } from './helpers/memory.ts'
import { labSuite } from './helpers/suite.ts'

/**
 * A byte of someone who has done nothing takes no longer than this, in ms. How much less is for the bench.
 */
const LONGEST_MS = 5000

labSuite('a member that means harm', {}, () => {
  let world: World
  let hub: RealHub
  let server: RawPeer
  let innocent: Innocent
  /** Streams that the server was opened. */
  let opened = 0

  beforeAll(async () => {
    world = await World.start()
    const token = await world.joinToken(['--uses', '100'])
    hub = await RealHub.at(world.hubUrl, async () => token)
    server = await serveEcho(hub, 'web', () => opened++)
    innocent = await Innocent.start(hub, 'web')
  })

  afterAll(async () => {
    innocent.stop()
    await hub.stop()
    await world.stop()
  })

  /** Links of one agent; the first serves, if it has a service. */
  async function hostile(count: number, service?: string): Promise<RawPeer[]> {
    const joined = await hub.join()
    const peers: RawPeer[] = []
    onTestFinished(() => peers.forEach((peer) => peer.vanish()))
    for (let i = 0; i < count; i++)
      peers.push(await hub.link(joined, { role: service && i === 0 ? 'agent' : 'client' }))
    if (service) {
      peers[0]!.send(encodeCtrl({ type: 'services', seq: 1, services: [{ name: service, port: 1 }] }))
      await peers[0]!.next('ctrl')
    }
    return peers
  }

  function memory(): number {
    return residentBytes(world.hub.pid) / 1e6
  }

  /** Nobody else has noticed anything. */
  async function othersGoOn(): Promise<void> {
    await Promise.all([server.settled(), innocent.peer.settled()])
    expect([server.isOpen, innocent.peer.isOpen, innocent.peer.count('rst')]).toEqual([true, true, 0])
    await innocent.next()
    expect(Math.max(...innocent.take())).toBeLessThan(LONGEST_MS)
  }

  test('64 links that ask 62,000 times each and read no answer cost the hub less than 300 MB, and others nothing', async () => {
    const links = await hostile(MAX_LINKS)
    for (const link of links) link.stopReading()
    const pings = batch(Array.from({ length: 1000 }, () => encodePing(1n)))
    for (let i = 0; i < 62; i++) await Promise.all(links.map((link) => link.write(pings)))
    // Once the hub has come to these, it has seen the rest.
    const before = opened
    for (const link of links) link.send(open(1, 'web'))
    let most = 0
    await until(
      () => {
        most = Math.max(most, memory())
        return opened - before === MAX_LINKS
      },
      { timeoutMs: 60_000, everyMs: 20 },
    )
    console.log(`the hub took ${most.toFixed(0)} MB at most`)
    expect([opened - before, most < 300]).toEqual([MAX_LINKS, true])
    await othersGoOn()
  })

  test('64 links that do not read what they asked for cost the hub less than 900 MB, and others nothing', async () => {
    const [source, ...links] = (await hostile(MAX_LINKS, 'source')) as [RawPeer, ...RawPeer[]]
    let most = 0
    const chunk = Buffer.alloc(MAX_DATA_BYTES)
    for (const link of links) {
      link.send(open(1, 'source', MAX_WINDOW))
      const { stream } = await source.next('open')
      source.send(encodeOpenOk(stream, INITIAL_WINDOW))
      await link.next('openOk')
      link.stopReading()
      for (let sent = 0; sent < MAX_WINDOW; sent += chunk.length) source.send(encodeData(stream, chunk))
      await source.settled()
      most = Math.max(most, memory())
    }
    console.log(`the hub took ${most.toFixed(0)} MB at most`)
    expect(most).toBeLessThan(900)
    expect(source.count('rst')).toBeGreaterThan(0)
    await othersGoOn()
  })

  test.each(Object.keys(FLOODS))('%s without end slow others, and break nothing of theirs', async (name) => {
    const [peer] = (await hostile(1, 'flood')) as [RawPeer]
    peer.send(open(1, 'web'))
    await peer.next('openOk')
    innocent.take()
    const next = FLOODS[name]!('web')
    const began = performance.now()
    let frames = 0
    while (peer.isOpen && performance.now() - began < (name === 'WINDOWs' ? 10_000 : 2000)) {
      await peer.write(next())
      await turn()
      frames += 500
    }
    // The hub may have ended that link before a byte of others was back.
    await innocent.next()
    const took = innocent.take().toSorted((a, b) => a - b)
    console.log(
      `${frames} in ${((performance.now() - began) / 1000).toFixed(1)} s: a byte took others ` +
        `${took[took.length >> 1]?.toFixed(1)} ms, ${took.at(-1)?.toFixed(0)} ms at most`,
    )
    expect(took.at(-1)).toBeLessThan(LONGEST_MS)
    await othersGoOn()
  })
})
