import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SocketReads } from '../../src/memory/socket-reads.ts'
import { Sockets } from '../websocket/helpers/sockets.ts'

const BULK = randomBytes(6 * 1024 * 1024)

let sockets: Sockets
beforeAll(async () => {
  sockets = await Sockets.start()
})
afterAll(() => sockets.close())

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Reads at the server's end, and notes in how many reads memory was shared. */
async function reading(take: (bytes: Buffer) => void) {
  const pair = await sockets.pair()
  const seen = { shared: 0 }
  const bytes = { count: 0, reached: Promise.withResolvers<void>() }
  const reads = new SocketReads(pair.server, (chunk, isShared) => {
    if (isShared) seen.shared++
    take(chunk)
    bytes.count += chunk.length
    if (bytes.count >= BULK.length) bytes.reached.resolve()
  })
  reads.resume()
  return { ...pair, reads, seen, all: bytes.reached.promise }
}

test('bulk is read into shared memory, whole and in order, to the end behind it', async () => {
  const chunks: Buffer[] = []
  const { client, server, seen } = await reading((chunk) => chunks.push(Buffer.from(chunk)))
  client.end(BULK)
  await once(server, 'end')
  expect(digest(Buffer.concat(chunks))).toBe(digest(BULK))
  expect(seen.shared).toBeGreaterThan(0)
  const closed = once(client, 'close')
  server.end('bye')
  client.resume()
  await closed
})

test('what is put back again and again is copied out of shared memory once', async () => {
  const again: ArrayBufferLike[] = []
  const world = await reading((chunk) => {
    if (world.seen.shared === 0 || again.length === 4) return
    again.push(chunk.buffer)
    world.reads.pause()
    world.reads.putBack(chunk.subarray(1))
    setImmediate(() => world.reads.resume())
  })
  world.client.end(BULK)
  await once(world.server, 'end')
  const [shared, ...copies] = again
  expect(copies).toHaveLength(3)
  expect(new Set(copies).size).toBe(1)
  expect(copies[0]).not.toBe(shared)
})

test('what is put back in a pause comes again, before all else', async () => {
  const chunks: Buffer[] = []
  const world = await reading((chunk) => {
    const taken = Math.ceil(chunk.length * Math.random())
    chunks.push(Buffer.from(chunk.subarray(0, taken)))
    if (taken === chunk.length) return
    world.reads.pause()
    world.reads.putBack(chunk.subarray(taken))
    setImmediate(() => world.reads.resume())
  })
  world.client.end(BULK)
  await once(world.server, 'end')
  expect(digest(Buffer.concat(chunks))).toBe(digest(BULK))
  expect(world.seen.shared).toBeGreaterThan(0)
})

test('nothing is taken in a pause, and the far end is held up', async () => {
  let isPaused = false
  let taken = 0
  const world = await reading((chunk) => {
    expect(isPaused).toBe(false)
    taken += chunk.length
    if (taken < BULK.length / 2 || isPaused) return
    isPaused = true
    world.reads.pause()
  })
  // More than the kernel holds.
  let written = 0
  const go = () => {
    while (written < 16 * BULK.length) {
      written += BULK.length
      if (!world.client.write(BULK)) return
    }
  }
  world.client.on('drain', go)
  go()
  await expect.poll(() => isPaused).toBe(true)
  const before = world.server.bytesRead
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect(world.server.bytesRead).toBe(before)
  expect(written).toBeLessThan(16 * BULK.length)
  isPaused = false
  world.reads.resume()
  await expect.poll(() => world.server.bytesRead).toBeGreaterThan(before)
  world.client.destroy()
})

test('in bulk, too, the socket is written to', async () => {
  const world = await reading(() => {})
  world.client.write(BULK)
  await world.all
  world.server.write('answer')
  expect(String((await once(world.client, 'data'))[0])).toBe('answer')
})

test('in bulk, too, a reset is an error of the socket, and ends it', async () => {
  const world = await reading(() => {})
  world.client.write(BULK)
  await world.all
  const failed = once(world.server, 'error')
  const closed = new Promise((resolve) => world.server.once('close', resolve))
  world.client.resetAndDestroy()
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }])
  await closed
})

test('in bulk, too, the socket can be destroyed', async () => {
  const world = await reading(() => {})
  world.client.write(BULK)
  await world.all
  const closed = once(world.client, 'close')
  world.client.resume()
  world.server.destroy()
  await once(world.server, 'close')
  await closed
})
