import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { differences, snapshot } from '../fixtures/snapshot.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { mountSmallDisk, type SmallDisk } from './helpers/small-disk.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

// What Node.js caches would take all of a small disk.
const env = { CONNECT_PLATFORM: 'background', NODE_DISABLE_COMPILE_CACHE: '1' }

const FULL = /: ENOSPC: no space left on device/

const run = (home: Home, line: string) => connect(home, line.split(' '), { env, timeoutMs: 30_000 })

async function works(home: Home, line: string): Promise<string> {
  const { code, stdout, stderr } = await run(home, line)
  expect({ code, stderr }, line).toEqual({ code: 0, stderr: '' })
  return stdout
}

async function fails(home: Home, line: string, sentence: RegExp): Promise<void> {
  const { code, stderr } = await run(home, line)
  expect(code, `${line}: ${stderr}`).toBe(1)
  expect(stderr, line).toMatch(/^\[x\] [^\n]+\n(?: {2}[^\n]+\n)+$/)
  expect(stderr, line).toMatch(sentence)
}

labSuite('a home on a disk', { programs: ['mount', 'umount'], root: true }, () => {
  let world: World
  let echo: TestServer

  beforeAll(async () => {
    world = await World.start()
    echo = await echoServer()
  })

  afterAll(async () => {
    await world.stop()
    await echo.close()
  })

  /** A machine that has joined, and exposes an echo service, on a small disk of its own. */
  async function machine(name: string, size?: string): Promise<{ home: Home; disk: SmallDisk }> {
    const home = emptyHome()
    const disk = await mountSmallDisk(home.folder, size)
    const token = { ...env, PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(home, ['login', '--hub', world.hubUrl, '--label', name], { env: token })
    await run(home, `expose ${echo.port} --name ${name}`)
    return { home, disk }
  }

  async function answers(name: string): Promise<void> {
    const client = await world.machine(`client-of-${name}`)
    const { port, cli } = await world.reach(client, name)
    const socket = await openSocket(port)
    const echoed = new Promise((resolve) => socket.once('data', (data) => resolve(String(data))))
    socket.write('hello')
    expect(await echoed).toBe('hello')
    socket.destroy()
    await cli.stop()
  }

  const COMMANDS_THAT_WRITE = [
    'expose 9 --name other',
    'daemon start',
    'daemon restart',
    'up',
    'hub --listen 127.0.0.1:0',
    'hub start --listen 127.0.0.1:0',
    'hub restart',
    'hub token create',
  ]
  const COMMANDS_THAT_LOOK = 'whoami|services|login|daemon status|daemon logs|hub status|hub logs'.split('|')
  const NOTHING_TO_END = ['daemon stop', 'daemon uninstall', 'hub stop', 'hub uninstall']

  describe.each([
    ['full', (disk: SmallDisk) => disk.fill(), FULL],
    ['read-only', (disk: SmallDisk) => disk.readOnly(true), /: EROFS: read-only file system/],
  ] as const)('that is %s', (state, spoil, reason) => {
    test('what writes says so, what looks works, and nothing changes', async () => {
      const name = `never-started-${state}`
      const { home, disk } = await machine(name)
      await spoil(disk)
      const before = snapshot(home.folder)
      const failing = [...COMMANDS_THAT_WRITE, `unexpose ${name}`]
      // A full disk has room for a file less.
      if (state === 'read-only') failing.push('logout')
      for (const line of failing) await fails(home, line, reason)
      for (const line of [...COMMANDS_THAT_LOOK, ...NOTHING_TO_END]) await works(home, line)
      expect(differences(before, snapshot(home.folder))).toEqual([])
    })

    test('nobody can log in, and the token is not spent', async () => {
      const home = emptyHome()
      const disk = await mountSmallDisk(home.folder)
      await spoil(disk)
      const token = await world.joinToken()
      const login = () =>
        connect(home, ['login', '--hub', world.hubUrl], { env: { ...env, PRIVATECONNECT_TOKEN: token } })
      const { code, stderr } = await login()
      expect(code).toBe(1)
      expect(stderr).toMatch(/^\[x\] Could not \S[^\n]+\n {2}\S[^\n]+\n$/)
      expect(stderr).toMatch(reason)
      for (const line of ['daemon status', 'daemon logs', 'logout', ...NOTHING_TO_END])
        await works(home, line)
      if (state === 'full') disk.free()
      else await disk.readOnly(false)
      expect(await login()).toMatchObject({ code: 0 })
    })
  })

  test('a daemon that runs goes on; it can be seen, and stopped', async () => {
    const name = 'running'
    const { home, disk } = await machine(name)
    await works(home, 'daemon start')
    const { pid } = JSON.parse(await works(home, 'daemon status --json')) as { pid: number }
    disk.fill()
    const services = readFileSync(home.file('services.json'))
    await fails(home, 'expose 9 --name other', FULL)
    await fails(home, `unexpose ${name}`, FULL)
    expect(readFileSync(home.file('services.json'))).toEqual(services)
    // What it exposes is what it says, though it has a log to write about each connection.
    await answers(name)
    // Another could neither start nor say why: this one stays.
    for (const line of ['daemon restart', 'daemon start --replace']) await fails(home, line, FULL)
    expect(await works(home, 'daemon start')).toContain(`already running (PID: ${pid})`)
    expect(JSON.parse(await works(home, 'daemon status --json'))).toMatchObject({
      status: 'running',
      pid,
      connection: { state: 'connected' },
      services: [{ name }],
    })
    await works(home, 'daemon logs')
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
    expect(await works(home, 'daemon status')).toContain('○ Status: stopped')
    expect(await works(home, 'daemon stop')).toContain('there is nothing to stop')

    disk.free()
    expect(await works(home, 'daemon start')).toContain('Hub: connected')
    await answers(name)
    await works(home, 'daemon stop')
  })

  test('a hub that runs goes on as it is; it can be seen, and stopped', async () => {
    const home = emptyHome()
    const disk = await mountSmallDisk(home.folder)
    await works(home, 'hub start --listen 127.0.0.1:0')
    const status = async () => JSON.parse(await works(home, 'hub status --json')) as { pid: number }
    const { pid } = await status()
    const settings = readFileSync(home.file('hub/config.json'), 'utf8')
    disk.fill()
    await fails(home, 'hub start --url https://hub.example.com', FULL)
    await fails(home, 'hub restart', FULL)
    expect(await status()).toMatchObject({ pid })
    expect(readFileSync(home.file('hub/config.json'), 'utf8')).toBe(settings)
    await works(home, 'hub logs')
    expect(await works(home, 'hub stop')).toBe('[ok] Hub stopped\n')
  })

  test('a daemon that was killed is seen to be gone', async () => {
    const { home, disk } = await machine('killed')
    await works(home, 'daemon start')
    const { pid } = JSON.parse(await works(home, 'daemon status --json')) as { pid: number }
    disk.fill()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => works(home, 'daemon status'), { timeout: 30_000 }).toContain('○ Status: stopped')
    expect(await works(home, 'daemon stop')).toContain('there is nothing to stop')
  })

  test('a log that there is no room to rotate stays as it is, and is rotated later', async () => {
    const { home, disk } = await machine('rotating', '24m')
    await works(home, 'daemon start')
    // As a chatty day would leave it: the next line is the one too many.
    appendFileSync(home.file('daemon.log'), `${'x'.repeat(999)}\n`.repeat(10_500))
    disk.fill()
    const before = readFileSync(home.file('daemon.log'))
    await answers('rotating')
    expect(readFileSync(home.file('daemon.log')).subarray(0, before.length).equals(before)).toBe(true)
    expect(readdirSync(home.file('.')).filter((name) => name.startsWith('daemon.log'))).toEqual([
      'daemon.log',
    ])
    expect(await works(home, 'daemon status')).toContain('Connection: connected')

    disk.free()
    const rotated = () => existsSync(home.file('daemon.log.1'))
    const rotates = async () => {
      await works(home, `expose ${echo.port} --name rotating`)
      return rotated()
    }
    await expect.poll(rotates, { timeout: 90_000, interval: 1000 }).toBe(true)
    expect(readFileSync(home.file('daemon.log.1')).subarray(0, before.length).equals(before)).toBe(true)
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
  })
})
