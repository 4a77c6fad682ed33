import { connect } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { carryStdio, type StdioOptions } from '../../src/reach/stdio.ts'
import { hubInProcess, member } from '../fixtures/hub/hub-in-process.ts'
import { serving } from '../fixtures/hub/serving.ts'
import { echoServer, serveTcp } from '../helpers/servers.ts'

/** A hub behind a wall that counts who comes through, an echo, and a member that may reach it. */
async function echoWorld() {
  const hub = await hubInProcess()
  const echo = await echoServer()
  onTestFinished(() => echo.close())
  await serving(await member(hub, 'server'), { echo: echo.port })
  const config = await member(hub, 'client')
  let connections = 0
  const wall = await serveTcp((socket) => {
    connections++
    const way = connect(hub.hub.port, '127.0.0.1')
    for (const [end, other] of [
      [way, socket],
      [socket, way],
    ] as const) {
      end.on('error', () => {})
      end.on('close', () => other.destroy())
      end.pipe(other)
    }
  })
  onTestFinished(() => wall.close())
  const through: Config = { ...config, hub: `http://127.0.0.1:${wall.port}` }
  return { hub, config: through, connections: () => connections }
}

/** What comes back for a text, and what was told meanwhile. */
async function carried(config: Config, input: string, more: Partial<StdioOptions> = {}) {
  const told: string[] = []
  const output = new PassThrough()
  const options = { config, name: 'echo', version: '0.1.0', input: Readable.from([input]), output }
  const [answer] = await Promise.all([
    text(output),
    carryStdio({ ...options, tell: (line) => told.push(line), ...more }, new AbortController().signal),
  ])
  return { answer, told }
}

test('takes one connection to the hub, and says nothing where all goes well', async () => {
  const { config, connections } = await echoWorld()
  expect(await carried(config, 'hello')).toEqual({ answer: 'hello', told: [] })
  expect(connections()).toBe(1)
})

test('says at once that the hub is away, waits for it, and then begins', async () => {
  const { hub, config } = await echoWorld()
  const { port } = hub.hub
  await hub.close()
  const told = Promise.withResolvers<string>()
  const carrying = carried(config, 'late', { tell: told.resolve })
  expect(await told.promise).toMatch(/^\[!\] Could not reach the hub/)
  const again = await hubInProcess(hub.folder, { port })
  expect(again.hub.port).toBe(port)
  expect((await carrying).answer).toBe('late')
})

test('gives up on a hub that stays away, with the reason', async () => {
  const { hub, config } = await echoWorld()
  await hub.close()
  await expect(carried(config, 'never', { holdMs: 200 })).rejects.toMatchObject({
    code: 'HUB_UNREACHABLE',
    message: expect.stringMatching(/\(tried for 0\.2 s\)$/) as string,
  })
})

test('says that it waits for a hub that takes connections and never answers', async () => {
  const { config } = await echoWorld()
  const silent = await serveTcp(() => {})
  onTestFinished(() => silent.close())
  const told: string[] = []
  const hub = `http://127.0.0.1:${silent.port}`
  const options = { tell: (line: string) => told.push(line), waitingMs: 50, holdMs: 300 }
  await expect(carried({ ...config, hub }, 'never', options)).rejects.toMatchObject({
    code: 'HUB_UNREACHABLE',
    message: `No answer from the hub at ${hub} (tried for 0.3 s)`,
  })
  expect(told).toEqual([`[!] No answer yet from the hub at ${hub}`])
})

test('an input that fails is an error, and the service hears a reset', async () => {
  const { config } = await echoWorld()
  const input = new Readable({ read: () => {} })
  input.push('half')
  setImmediate(() => input.destroy(new Error('EIO: i/o error')))
  const output = new PassThrough()
  const options = { config, name: 'echo', version: '0.1.0', input, output, tell: () => {} }
  await expect(carryStdio(options, new AbortController().signal)).rejects.toMatchObject({
    code: 'STDIO_FAILED',
    message: 'stdin can’t be read: EIO: i/o error',
  })
})

test('a signal ends it without an error, while it waits too', async () => {
  const { hub, config } = await echoWorld()
  const stop = new AbortController()
  const output = new PassThrough()
  const input = new PassThrough()
  const options = { config, name: 'echo', version: '0.1.0', input, output, tell: () => {} }
  const carrying = carryStdio(options, stop.signal)
  input.write('hello')
  expect(String(await new Promise((resolve) => output.once('data', resolve)))).toBe('hello')
  stop.abort('SIGTERM')
  await carrying
  await hub.close()
  const waits = new AbortController()
  const waiting = carryStdio(
    { ...options, input: new PassThrough(), tell: () => waits.abort('SIGINT') },
    waits.signal,
  )
  await waiting
})
