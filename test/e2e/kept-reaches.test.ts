import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { KeepTrials } from '../helpers/faults/keep-trials.ts'
import type { Home } from '../helpers/home.ts'
import { echoed, serveTcp } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'

let world: World
beforeAll(async () => {
  world = await World.start()
})
afterAll(() => world.stop())

/** A machine that exposes an echo by this name. @returns the connections that are open there */
async function echoTarget(name: string): Promise<Set<Socket>> {
  const open = new Set<Socket>()
  const echo = await serveTcp((socket) => {
    open.add(socket.once('close', () => open.delete(socket)))
    socket.pipe(socket)
  })
  onTestFinished(() => echo.close())
  const server = await joined(world, 'server')
  await connectOk(server, ['daemon', 'start'])
  await connectOk(server, ['expose', String(echo.port), '--name', name])
  return open
}

async function laptop(): Promise<Home> {
  const home = await joined(world, 'laptop')
  await connectOk(home, ['daemon', 'start'])
  return home
}

async function kept(home: Home, name: string, ...more: string[]): Promise<number> {
  const text = await connectOk(home, ['reach', name, '--keep', '--json', ...more])
  return (JSON.parse(text) as { reach: { port: number } }).reach.port
}

test('what a killed agent had open is gone at the target as soon as the next one is there', async () => {
  const open = await echoTarget('killed')
  const home = await laptop()
  const port = await kept(home, 'killed')
  const socket = dial(port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write('hello')
  await once(socket, 'data')
  expect(open.size).toBe(1)
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { pid: number }
  process.kill(pid, 'SIGKILL')
  await until(() => socket.destroyed)
  const began = performance.now()
  await until(async () => (await connect(home, ['daemon', 'start'])).stdout.includes('Daemon started'))
  await until(() => open.size === 0)
  // Without a successor its streams would be waited for, 30 s long.
  expect(performance.now() - began).toBeLessThan(20_000)
  expect(await echoed(port, 'hello')).toBe('hello')
})

test('two instances keep reaches of the same name, each with a port of its own', async () => {
  await echoTarget('twice')
  const home = await laptop()
  const other = home.file('staging.json')
  const more = ['--config', other]
  const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
  await connectOk(home, ['login', '--hub', world.hubUrl, ...more], { env })
  await connectOk(home, ['daemon', 'start', ...more])
  const ports = [await kept(home, 'twice'), await kept(home, 'twice', ...more)]
  expect(ports[1]).not.toBe(ports[0])
  for (const port of ports) expect(await echoed(port, 'hello')).toBe('hello')
  await connectOk(home, ['unreach', 'twice'])
  expect(await echoed(ports[1]!, 'hello')).toBe('hello')
  expect(await connectOk(home, ['reach', ...more])).toContain(`localhost:${ports[1]}`)
})

test('kills at random moments leave whole files, nothing lost that was answered, and no port too many', async () => {
  const trials = await KeepTrials.at(await laptop(), Math.random)
  for (let number = 0; number < 12; number++) await trials.trial()
})
