import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { writeReaches } from '../../src/config/reaches.ts'
import type { ShownReach } from '../../src/tasks/reaches/shown-reach.ts'
import { connect, connectOk, RunningCli, runJs, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { serveTcp } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

/**
 * What `ulimit -n` says, and how many connections that leaves room for; and, of a service's, for one machine
 * alone.
 */
const DESCRIPTORS = 128
const ROOM = 64
const SHARE = 48

let world: World
let home: Home
beforeAll(async () => {
  world = await World.start()
  home = await world.echoMachine()
})
afterAll(() => world.stop())

function startWithFew(who: Home, args: readonly string[], descriptors = DESCRIPTORS): RunningCli {
  const script = `ulimit -n ${descriptors} && exec "$0" "$@"`
  const child = spawn('bash', ['-c', script, process.execPath, runJs, ...args], {
    cwd: who.folder,
    env: who.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const running = new RunningCli(child, args.join(' '))
  onTestFinished(() => running.stop())
  return running
}

/** A port whose program stands still: the kernel takes the first few connections, and answers no more. */
async function silentTarget(): Promise<number> {
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log('port ' + this.address().port)
    process.kill(process.pid, 'SIGSTOP')
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(/port (\d+)/.exec(String(line))![1])
}

/** Opens connections, and asks each for its echo. @returns those that answered */
async function openAll(port: number, count: number): Promise<Socket[]> {
  const tried = Array.from({ length: count }, async (_, index) => {
    const socket = dial(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    return (await answers(socket, `hello ${index}`)) ? socket : undefined
  })
  return (await Promise.all(tried)).filter((socket) => socket !== undefined)
}

async function answers(socket: Socket, text: string): Promise<boolean> {
  socket.write(text)
  const answer = once(socket, 'data').then(
    ([data]) => String(data) === text,
    () => false,
  )
  return Promise.race([answer, once(socket, 'close').then(() => false)])
}

async function refusesOnlyNewOnes(port: number, room: number): Promise<void> {
  const some = await openAll(port, ROOM / 2)
  expect(some).toHaveLength(ROOM / 2)
  const more = await openAll(port, 2 * ROOM)
  expect(some.length + more.length).toBe(room)
  for (const socket of [...some, ...more]) expect(await answers(socket, 'still there')).toBe(true)
  // There is room again once some have left.
  for (const socket of some) socket.destroy()
  await expect.poll(async () => (await openAll(port, 1)).length, { timeout: 30_000 }).toBe(1)
}

test('an agent with few descriptors refuses what is too much, and keeps the rest', async () => {
  const agent = startWithFew(home, ['up'])
  await agent.printed(/Connected to hub/)
  const { port, cli } = await world.reach(await world.machine('client'), 'echo')
  await refusesOnlyNewOnes(port, SHARE)
  await agent.printed(
    /\[x\] Connections are refused: agent_\w+ has 48 of the 64 that "ulimit -n" leaves room for; the rest is for others/,
  )
  await cli.stop()
})

test('one machine’s connections to a target that doesn’t answer keep no other from being served', async () => {
  const silent = await silentTarget()
  await connectOk(home, ['expose', String(silent), '--name', 'silent'])
  const agent = startWithFew(home, ['up'])
  await agent.printed(/Connected to hub/)
  const client = await world.machine('client')
  const greedy = await world.reach(client, 'silent')
  for (let i = 0; i < 2 * ROOM; i++)
    dial(greedy.port, '127.0.0.1')
      .on('error', () => {})
      .unref()
  await agent.printed(/has 48 of the 64/)
  const other = await world.reach(await world.machine('other'), 'echo')
  expect(await openAll(other.port, 8)).toHaveLength(8)
  await Promise.all([greedy.cli.stop(), other.cli.stop()])
})

test('reach does so, too', async () => {
  const agent = startConnect(home, ['up'])
  onTestFinished(() => agent.stop())
  await agent.printed(/Connected to hub/)
  const reach = startWithFew(await world.machine('client'), ['reach', 'echo', '--port', '0'])
  const [, port] = await reach.printed(/is at \S+:(\d+)/)
  await reach.printed(/Connected to hub/)
  await refusesOnlyNewOnes(Number(port), ROOM)
  await reach.printed(
    /\[x\] Connections are dropped: 64 are open, as many as "ulimit -n" leaves room for \(128\)/,
  )
})

test('an agent counts clients of kept reaches and served streams together, and holds the ports all the while', async () => {
  const client = await world.machine('keeper')
  await connectOk(client, ['expose', String(await silentTarget()), '--name', 'kept'])
  const ports: number[] = []
  for (const name of ['echo', 'kept', 'nobody', 'none']) {
    const args = ['reach', name, '--keep', '--port', '0', '--json']
    const { reach } = JSON.parse(await connectOk(client, args)) as { reach: { port: number } }
    ports.push(reach.port)
  }
  const server = startConnect(home, ['up'])
  onTestFinished(() => server.stop())
  await server.printed(/Connected to hub/)
  // So few that one connection is left for.
  const agent = startWithFew(client, ['up'], 64)
  await agent.printed(/Connected to hub/)
  for (const port of ports) await agent.printed(new RegExp(`is at localhost:${port}\\n`))
  const [held] = await openAll(ports[0]!, 1)
  expect(await openAll(ports[0]!, 40)).toEqual([])
  await agent.printed(
    /\[x\] echo: Connections are dropped: 1 is open, as many as "ulimit -n" leaves room for \(64\)/,
  )
  const served = await world.reach(home, 'kept')
  expect(await openAll(served.port, 1)).toEqual([])
  await agent.printed(/\[x\] Connections are refused: 1 is open, as many as "ulimit -n"/)
  await served.cli.stop()
  expect(await answers(held!, 'still there')).toBe(true)
  const { reaches } = JSON.parse(await connectOk(client, ['reach', '--json'])) as { reaches: object[] }
  expect(reaches).toHaveLength(4)
  for (const reach of reaches) expect(reach).toMatchObject({ held: true })
  expect(reaches).toContainEqual(
    expect.objectContaining({ failure: expect.objectContaining({ cause: 'limit' }) }),
  )
  // Far more at once than it has descriptors, and then there is room again.
  expect(await openAll(ports[0]!, 300)).toEqual([])
  held!.destroy()
  await expect.poll(async () => (await openAll(ports[0]!, 1)).length, { timeout: 30_000 }).toBe(1)
})

test('an agent that keeps more reaches than it has descriptors for answers all the same, and says which it lacks', async () => {
  const client = await world.machine('keeper')
  const names = Array.from({ length: 12 }, (_, index) => `kept-${String(index).padStart(2, '0')}`)
  const free = await Promise.all(names.map(() => serveTcp(() => {})))
  await Promise.all(free.map((one) => one.close()))
  const reaches = names.map((name, index) => ({ name, port: free[index]!.port }))
  writeReaches(instanceFor(undefined, client.folder), reaches)
  const agent = startWithFew(client, ['up'], 64)
  await agent.printed(/Connected to hub/)
  const lacks = 'No more ports can be held: 16 sockets listen already'
  await agent.printed(new RegExp(`\\[!\\] kept-11 is not at \\S+: ${lacks}`))
  const held = async () => {
    const told = JSON.parse(await connectOk(client, ['reach', '--json'])) as { reaches: ShownReach[] }
    return told.reaches.filter((reach) => reach.held).map(({ name }) => name)
  }
  expect(await held()).toEqual(names.slice(0, 8))
  expect(await connect(client, ['reach', 'more', '--keep', '--port', '0'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(lacks),
  })
  await connectOk(client, ['unreach', names[0]!])
  await expect.poll(held, { timeout: 30_000 }).toHaveLength(8)
  await connectOk(client, ['daemon', 'status'])
})

test('a hub with few descriptors closes the oldest of those that only wait, and answers who comes', async () => {
  const hub = startWithFew(world.hubHome, ['hub', '--listen', '127.0.0.1:0', '--data-dir', home.file('hub')])
  const [, port] = await hub.printed(/listening on \S+:(\d+)/)
  for (let i = 0; i < 2 * ROOM; i++) {
    const socket = dial(Number(port), '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
  }
  await hub.printed(
    /\[!\] Connections that have no link are closed, the oldest first: 64 are open, as many as "ulimit -n" leaves/,
  )
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).ok).toBe(true)
  expect(hub.output).not.toContain('are refused')
})
