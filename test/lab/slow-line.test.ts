import { performance } from 'node:perf_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { DEAD_AFTER_PING_MS, PING_AFTER_MS } from '../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW } from '../../src/tunnel/protocol/window-size.ts'
import { connectOk } from '../helpers/cli.ts'
import { serveTcp } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { slowCableTo } from './helpers/slow-cable.ts'
import { dial } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

/** So slow that a receiver has nothing to say for longer than a silent peer is given. */
const BYTES_PER_SECOND = 4600
const UPLOAD_BYTES = 150_000

labSuite('an upload over a slow line', {}, () => {
  test('is no dead link, though the receiver has nothing to acknowledge for half a minute', async () => {
    expect((INITIAL_WINDOW / 2 / BYTES_PER_SECOND) * 1000).toBeGreaterThan(PING_AFTER_MS + DEAD_AFTER_PING_MS)
    const world = await World.start()
    onTestFinished(() => world.stop())
    const { promise: received, resolve: ended } = Promise.withResolvers<number>()
    const target = await serveTcp((socket) => {
      let bytes = 0
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
      // The agent looks whether it answers, too.
      socket.on('close', () => bytes > 0 && ended(bytes))
      socket.on('end', () => socket.end())
    })
    onTestFinished(() => target.close())
    const server = await world.machine('server')
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `127.0.0.1:${target.port}`, '--name', 'sink'])
    const line = await slowCableTo(Number(new URL(world.hubUrl).port), BYTES_PER_SECOND)
    const client = world.emptyMachine('client')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(client, ['login', '--hub', `http://127.0.0.1:${line}`, '--label', 'client'], { env })
    const { port, cli } = await world.reach(client, 'sink')
    onTestFinished(() => cli.stop())
    const began = performance.now()
    const socket = dial(port)
    onTestFinished(() => void socket.destroy())
    socket.end(Buffer.alloc(UPLOAD_BYTES))
    expect(await received).toBe(UPLOAD_BYTES)
    // It was slow enough to show something.
    expect(performance.now() - began).toBeGreaterThan(PING_AFTER_MS + DEAD_AFTER_PING_MS)
    expect(cli.output).not.toMatch(/no sign of life|Reconnect/)
  })
})
