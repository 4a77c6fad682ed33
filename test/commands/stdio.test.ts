import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net'
import path from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, connectOk, runJs, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { serveTcp, type TestServer } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'

let world: World
let server: Home
let client: Home
let target: TestServer
/** What the next connection to the target does. */
let onTarget: (socket: Socket) => void = (socket) => socket.destroy()

beforeAll(async () => {
  world = await World.start()
  ;[server, client] = [await world.machine('server'), await world.machine('client')]
  target = await serveTcp((socket) => onTarget(socket))
  await connectOk(server, ['expose', String(target.port), '--name', 'target'])
  const agent = world.keep(startConnect(server, ['up']))
  await agent.printed(/Connected to hub/)
})
afterAll(async () => {
  await target.close()
  await world.stop()
})

interface Carrier {
  readonly child: ChildProcess
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>
}

/** `connect reach target --stdio`, until the end of the test. */
function carry(stdio: StdioOptions = ['pipe', 'pipe', 'pipe']): Carrier {
  const child = spawn(process.execPath, [runJs, 'reach', 'target', '--stdio'], {
    cwd: client.folder,
    env: client.env,
    stdio,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin?.on('error', () => {})
  const stderr = child.stderr ? text(child.stderr) : Promise.resolve('')
  const exited = once(child, 'close').then(async ([code, signal]) => ({ code, signal, stderr: await stderr }))
  return { child, exited }
}

/** The connection that the target gets for the next one that is carried. */
function nextConnection(): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  onTarget = resolve
  return promise
}

/** proc(5): fields 14 and 15, in hundredths of a second; 0 where there is no such file. */
function processorSeconds(pid: number): number {
  if (process.platform !== 'linux') return 0
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) / 100
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const DONE = { code: 0, signal: null, stderr: '' }

test('stdin goes to the service, its answer to stdout, and nothing else to either of the two', async () => {
  onTarget = (socket) => socket.pipe(socket)
  const ended = await connect(client, ['reach', 'target', '--stdio'], { input: 'hello\n' })
  expect(ended).toEqual({ code: 0, signal: null, stdout: 'hello\n', stderr: '' })
})

test('20 MB come through whole, both ways at once', async () => {
  onTarget = (socket) => socket.pipe(socket)
  const bytes = Buffer.alloc(20_000_000, 'twenty megabytes, or so, ')
  const { child, exited } = carry()
  const [back] = await Promise.all([buffer(child.stdout!), pipeline(Readable.from([bytes]), child.stdin!)])
  expect(sha256(back)).toBe(sha256(bytes))
  expect(await exited).toEqual(DONE)
})

test('the end of stdin leaves stdout open, until the service has answered', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  child.stdin!.end('question')
  const socket = await connection
  expect(await text(socket)).toBe('question')
  socket.end('answer to all of it')
  expect(await text(child.stdout!)).toBe('answer to all of it')
  expect(await exited).toEqual(DONE)
})

test('the end of the service is the end of stdout, and leaves stdin open', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  const socket = await connection
  socket.end('Go away.\n')
  expect(await text(child.stdout!)).toBe('Go away.\n')
  child.stdin!.end('not yet')
  expect(await text(socket)).toBe('not yet')
  expect(await exited).toEqual(DONE)
})

test('a reset by the service is exit code 1 and a sentence', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  child.stdin!.write('half of')
  const socket = await connection
  await once(socket, 'data')
  socket.resetAndDestroy()
  const { code, stderr } = await exited
  expect(code).toBe(1)
  expect(stderr).toMatch(/^\[x\] The connection to "target" was reset: /)
})

test('a service that nobody exposes is exit code 1 and a sentence, and stdout stays empty', async () => {
  const { code, stdout, stderr } = await connect(client, ['reach', 'nobody', '--stdio'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^\[x\] Could not connect to "nobody": /)
})

test('a reader that does not read holds up the service, and costs no memory', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  const socket = await connection
  const chunk = Buffer.alloc(100_000)
  let sent = 0
  const flood = () => {
    for (let goesOn = true; goesOn; sent += chunk.length) goesOn = socket.write(chunk)
  }
  socket.on('drain', flood)
  flood()
  let before = -1
  await until(
    () => {
      const isStill = sent === before
      before = sent
      return isStill
    },
    { everyMs: 500 },
  )
  expect(sent).toBeLessThan(60_000_000)
  child.stdout!.resume()
  await until(() => sent > before + 50_000_000)
  socket.off('drain', flood)
  socket.end()
  child.stdin!.end()
  expect(await exited).toEqual(DONE)
})

test('a reader that goes away is told, and ends the connection', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  const socket = await connection
  child.stdout!.destroy()
  const closed = new Promise((resolve) => socket.resume().on('close', resolve))
  socket.write('to nobody\n')
  const { code, stderr } = await exited
  await closed
  expect(code).toBe(1)
  expect(stderr).toMatch(/^\[x\] stdout can’t be written to: .*EPIPE/)
})

test.skipIf(process.platform !== 'linux')(
  'a full disk below stdout is told, and is no clean end',
  async () => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const connection = nextConnection()
    const { exited } = carry(['pipe', full, 'pipe'])
    const socket = await connection
    socket.write('too much')
    const { code, stderr } = await exited
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] stdout can’t be written to: ENOSPC/)
  },
)

test('stdin may be a file, /dev/null, or closed, and stdout a file', async () => {
  const file = (name: string) => path.join(client.folder, name)
  writeFileSync(file('in'), 'from a file')
  const through = (redirection: string) => {
    onTarget = (socket) => socket.pipe(socket)
    const child = spawn(
      'sh',
      ['-c', `"$@" ${redirection} >out`, 'sh', process.execPath, runJs, 'reach', 'target', '--stdio'],
      {
        cwd: client.folder,
        env: client.env,
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    return Promise.all([once(child, 'exit').then(([code]) => code as number), text(child.stderr)])
  }
  for (const [redirection, expected] of [
    ['<in', 'from a file'],
    ['</dev/null', ''],
    ['<&-', ''],
  ] as const) {
    expect(await through(redirection), redirection).toEqual([0, ''])
    expect(readFileSync(file('out'), 'utf8'), redirection).toBe(expected)
  }
})

test('a folder as stdin is exit code 1 and a sentence, and the service hears nothing of it', async () => {
  let connections = 0
  onTarget = (socket) => {
    connections++
    socket.destroy()
  }
  const folder = openSync(client.folder, 'r')
  onTestFinished(() => closeSync(folder))
  const { code, stderr } = await carry([folder, 'pipe', 'pipe']).exited
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      '[x] stdin can’t be read: it is a folder\n  Look at what stdin and stdout lead to, and run it again.\n',
  })
  expect(connections).toBe(0)
})

test('one socket may be stdin and stdout: its two directions end by themselves', async () => {
  const ours = Promise.withResolvers<Socket>()
  const listener = createServer({ allowHalfOpen: true }, ours.resolve).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => void listener.close())
  const { port } = listener.address() as AddressInfo
  const theirs = dial({ port, host: '127.0.0.1' })
  await once(theirs, 'connect')
  const connection = nextConnection()
  const { child, exited } = carry([theirs, theirs, 'pipe'])
  theirs.destroy()
  const [near, far] = [await ours.promise, await connection]
  // More than the kernel takes at once.
  far.end(Buffer.alloc(20_000_000))
  await until(() => near.readableLength > 0)
  expect(await buffer(near)).toHaveLength(20_000_000)
  const before = processorSeconds(child.pid!)
  // What is closed must not be looked after without end.
  near.write('wait')
  await until(() => far.readableLength === 4)
  await sleep(500)
  expect(processorSeconds(child.pid!) - before).toBeLessThan(0.3)
  far.read()
  near.end('answer')
  expect(await text(far)).toBe('answer')
  expect(await exited).toEqual(DONE)
})

test('a hub that is started again meanwhile costs nothing', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  child.stdin!.write('before, ')
  const socket = await connection
  await once(socket, 'data')
  await world.hub.stop('SIGKILL')
  child.stdin!.end('after')
  await world.restartHub()
  expect(await text(socket)).toBe('after')
  socket.end('all of it')
  expect(await text(child.stdout!)).toBe('all of it')
  expect(await exited).toEqual(DONE)
})

test('a signal ends it as a signal does, silently, and resets the connection at once', async () => {
  const connection = nextConnection()
  const { child, exited } = carry()
  const socket = await connection
  const closed = new Promise((resolve) => socket.resume().on('error', resolve))
  child.kill('SIGTERM')
  expect(await exited).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
  expect(await closed).toMatchObject({ code: 'ECONNRESET' })
})

test.for(['--port=1', '--bind=::1', '--json'])('it goes with no %s', async (flag) => {
  expect(await connect(client, ['reach', 'target', '--stdio', flag])).toMatchObject({ code: 2 })
})
