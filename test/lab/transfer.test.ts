import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer, serveTcp, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { seeded, seededSha256 } from './helpers/seeded.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

const GIGABYTE = 1_000_000_000
const SESSIONS = 200
const SESSION_BYTES = 500_000

labSuite('bulk data through a daemon', {}, () => {
  const own = ownedBySuite()
  let world: World
  let server: Home
  let client: Home

  beforeAll(async () => {
    world = own(await World.start(), (it) => it.stop())
    server = await world.machine('server')
    client = await world.machine('client')
    await connectOk(server, ['daemon', 'start'])
  })

  /** @returns the local port that leads to it */
  async function exposed(name: string, target: TestServer): Promise<number> {
    own(target, (it) => it.close())
    await connectOk(server, ['expose', `127.0.0.1:${target.port}`, '--name', name])
    return (await world.reach(client, name)).port
  }

  test('a file of 1 GB comes down whole', async () => {
    const port = await exposed(
      'download',
      await serveTcp((socket) => void pipeline(seeded('download', GIGABYTE), socket).catch(() => {})),
    )
    const began = performance.now()
    const socket = await openSocket(port)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
    }
    report('down', bytes, began)
    socket.end()
    expect(bytes).toBe(GIGABYTE)
    expect(hash.digest('hex')).toBe(seededSha256('download', GIGABYTE))
  })

  test('a file of 1 GB goes up whole, and is answered after its end', async () => {
    const port = await exposed('upload', await serveSha256())
    const began = performance.now()
    const answer = await upload(port, 'upload', GIGABYTE)
    report('up', GIGABYTE, began)
    expect(answer).toBe(seededSha256('upload', GIGABYTE))
  })

  test('an upload of any size is answered once its client has closed its half', async () => {
    const port = await exposed('sizes', await serveSha256())
    for (const bytes of [0, 1, 32_768, 262_144, 262_145, 5_000_000]) {
      expect(await upload(port, `size ${bytes}`, bytes)).toBe(seededSha256(`size ${bytes}`, bytes))
    }
  })

  test('200 connections are open at once, and each gets its own content back', async () => {
    const port = await exposed('echo', await echoServer())
    const sockets = await Promise.all(Array.from({ length: SESSIONS }, () => openSocket(port)))
    // Each has come through to the target before any sends in earnest.
    await Promise.all(
      sockets.map(async (socket) => {
        socket.write('?')
        const [first] = (await once(socket, 'data')) as [Buffer]
        expect(first.toString()).toBe('?')
        socket.pause()
      }),
    )
    await Promise.all(
      sockets.map(async (socket, index) => {
        const seed = `session ${index}`
        const sent = pipeline(Readable.from(seeded(seed, SESSION_BYTES)), socket, { end: false }).then(() =>
          socket.end(),
        )
        const hash = createHash('sha256')
        for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk)
        await sent
        expect(hash.digest('hex'), seed).toBe(seededSha256(seed, SESSION_BYTES))
      }),
    )
  })
})

/** Answers with the hash of all it got, once its client has closed its half. */
function serveSha256(): Promise<TestServer> {
  return serveTcp((socket) => {
    const hash = createHash('sha256')
    socket.on('data', (chunk) => hash.update(chunk))
    socket.on('end', () => socket.end(hash.digest('hex')))
  })
}

async function upload(port: number, seed: string, bytes: number): Promise<string> {
  const socket = await openSocket(port)
  const [answer] = await Promise.all([text(socket), pipeline(seeded(seed, bytes), socket)])
  return answer
}

function report(direction: string, bytes: number, began: number): void {
  const seconds = (performance.now() - began) / 1000
  console.log(`1 GB ${direction}: ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`)
}
