import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import { serveTcp } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { residentBytes } from './helpers/memory.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { seeded, seededSha256 } from './helpers/seeded.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

/** Far more than all windows and buffers on the way can hold. */
const BYTES = 400_000_000
const READ_FIRST_BYTES = 1_000_000
const BLOCKED_MS = 60_000
/** Until whatever fits is on the way, and memory has found its level. */
const SETTLE_MS = 5000
const FLAT_BYTES = 32 * 1024 * 1024

labSuite('a reader that stands still for a minute', {}, () => {
  const own = ownedBySuite()
  const { promise: readAgain, resolve: goOn } = Promise.withResolvers<void>()
  let port: number
  let sender: Socket
  let pids: Record<'hub' | 'agent' | 'reach', number>

  /**
   * What the target does with a connection, by its first byte. It is one service, so that one link carries it
   * all.
   */
  const uses: Record<string, (socket: Socket) => unknown> = {
    e: (socket) => socket.pipe(socket),
    d: (socket) => {
      sender = socket
      return pipeline(seeded('download', BYTES), socket)
    },
    u: async (socket) => {
      await readAgain
      socket.end(await sha256(socket))
    },
  }

  beforeAll(async () => {
    const world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    const target = own(
      await serveTcp((socket) => {
        socket.once('readable', () => {
          const first = socket.read(1) as Buffer | null
          // To see whether a target is there, one connects and says nothing.
          if (first) void uses[String(first)]!(socket)
          else socket.end()
        })
      }),
      (it) => it.close(),
    )
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `127.0.0.1:${target.port}`, '--name', 'any'])
    const reached = await world.reach(await world.machine('client'), 'any')
    port = reached.port
    const agent = Number(readFileSync(server.file('daemon.pid'), 'utf8'))
    pids = { hub: world.hub.pid, agent, reach: reached.cli.pid }
  })

  async function open(use: 'echo' | 'download' | 'upload'): Promise<Socket> {
    const socket = await openSocket(port)
    socket.write(use[0]!)
    return socket
  }

  test('costs no memory and its neighbours no time, and all comes through when it goes on', async () => {
    const neighbour = await open('echo')
    const before = await pings(neighbour, 3000)

    const download = await open('download')
    const downloaded = sha256(download)
    while (download.bytesRead < READ_FIRST_BYTES) await once(download, 'data')
    download.pause()
    const upload = await open('upload')
    const answer = text(upload)
    const uploaded = pipeline(seeded('upload', BYTES), upload)

    const [during, samples] = await Promise.all([pings(neighbour, BLOCKED_MS), memoryFor(BLOCKED_MS)])
    const sent = [sender.bytesWritten, upload.bytesWritten]
    console.log(`ping: ${describe(before)} before, ${describe(during)} while both stand still`)
    console.log(`sent: ${sent.map(megabytes).join(' down, ')} up`)
    // The writers stood still too.
    expect.soft(Math.max(...sent)).toBeLessThan(BYTES / 2)
    for (const [name, sizes] of Object.entries(samples)) {
      const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
      console.log(`${name}: ${megabytes(least)} to ${megabytes(most)}`)
      expect.soft(most - least, name).toBeLessThanOrEqual(FLAT_BYTES)
    }
    expect(median(during)).toBeLessThan(Math.max(10 * median(before), 50))
    expect(Math.max(...during)).toBeLessThan(2000)

    download.resume()
    goOn()
    expect(await downloaded).toBe(seededSha256('download', BYTES))
    await uploaded
    expect(await answer).toBe(seededSha256('upload', BYTES))
    for (const socket of [neighbour, download]) socket.destroy()
  })

  /** What each process holds, second by second, once it has settled. */
  async function memoryFor(durationMs: number): Promise<Record<string, number[]>> {
    const samples: Record<string, number[]> = { hub: [], agent: [], reach: [] }
    const until = performance.now() + durationMs
    await sleep(SETTLE_MS)
    while (performance.now() < until) {
      for (const [name, pid] of Object.entries(pids)) samples[name]!.push(residentBytes(pid))
      await sleep(1000)
    }
    return samples
  }
})

/** The hash of all that comes. Unlike an iteration it leaves the socket's other direction alone. */
async function sha256(socket: Socket): Promise<string> {
  const hash = createHash('sha256')
  socket.on('data', (chunk) => hash.update(chunk))
  await once(socket, 'end')
  return hash.digest('hex')
}

/** How long a byte takes to an echo and back, over and over, in ms. */
async function pings(socket: Socket, durationMs: number): Promise<number[]> {
  const times: number[] = []
  for (const until = performance.now() + durationMs; performance.now() < until; await sleep(20)) {
    const began = performance.now()
    socket.write('?')
    await once(socket, 'data', { signal: AbortSignal.timeout(30_000) })
    times.push(performance.now() - began)
  }
  return times
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

function describe(times: readonly number[]): string {
  return `${median(times).toFixed(2)} ms in the median and ${Math.max(...times).toFixed(0)} ms at most`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
