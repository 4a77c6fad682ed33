import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { shortHash } from '../../src/config/instance-name.ts'
import { userFolder } from '../../src/config/instance.ts'
import { joined } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { serveUnix } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'

let world: World
/** Where services are reached from. */
let client: Home

beforeAll(async () => {
  world = await World.start()
  client = await world.machine('client')
})

afterAll(() => world.stop())

/** A socket that sends back what it gets. */
async function echoSocket(file = path.join(scratchFolder(), 'echo.sock')): Promise<string> {
  const server = await serveUnix(file, (socket) => socket.pipe(socket))
  onTestFinished(() => server.close())
  return file
}

/** A machine whose daemon exposes a Unix socket that echoes. */
async function exposing(name: string): Promise<{ home: Home; file: string }> {
  const [home, file] = [await joined(world, name), await echoSocket()]
  await connectOk(home, ['daemon', 'start'])
  await connectOk(home, ['expose', `unix:${file}`, '--name', name])
  return { home, file }
}

/** `connect reach NAME --socket`, until the end of the test. */
async function reaching(name: string, socketPath: string): Promise<RunningCli> {
  const cli = world.keep(startConnect(client, ['reach', name, '--socket', socketPath]))
  await cli.printed(/is at unix:/)
  await cli.printed(/Connected to hub/)
  return cli
}

async function echoes(socket: Socket): Promise<void> {
  onTestFinished(() => void socket.destroy())
  socket.write('hello')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(String(answer)).toBe('hello')
}

describe('a Unix socket', () => {
  test('is exposed by its absolute path, listed without a port, and reached at another Unix socket', async () => {
    const [home, folder] = [await joined(world, 'ada'), scratchFolder()]
    // As the command's working folder is the home folder.
    await echoSocket(home.file('../echo.sock'))
    const file = path.join(home.folder, 'echo.sock')
    expect(await connect(home, ['expose', 'unix:./echo.sock', '--name', 'ada'])).toMatchObject({
      code: 0,
      stdout: `Saved: unix:${file} as ada\n`,
    })
    await connectOk(home, ['daemon', 'start'])
    expect(await connectOk(home, ['services'])).toMatch(
      new RegExp(`  ada +unix:${file} +answers\n[^]*  ada +none +ada +agent_\\w+ +online\n`),
    )
    expect(JSON.parse(await connectOk(home, ['services', '--json']))).toMatchObject({
      exposed: [{ name: 'ada', host: null, port: null, path: file, answering: true, reason: null }],
      offered: [{ name: 'ada', port: null }],
    })
    expect(await connectOk(home, ['daemon', 'status'])).toContain(`    Services: ada → unix:${file}\n`)
    const socketPath = path.join(folder, 'ada.sock')
    const reach = await reaching('ada', socketPath)
    expect(reach.stdout).toBe(`[ok] ada (from ada) is at unix:${socketPath}\n  Ctrl-C to stop\n`)
    expect(statSync(socketPath).mode & 0o777).toBe(0o600)
    await echoes(dial(socketPath))
    expect(await connectOk(home, ['daemon', 'logs'])).toContain(`[ok] Connected to unix:${file}\n`)
    await reach.stop('SIGTERM')
    expect(existsSync(socketPath)).toBe(false)
  })

  test('is reached at a port that is free, since it has none of its own, or at the one that is asked for', async () => {
    await exposing('portless')
    const { port, cli } = await world.reach(client, 'portless', [])
    expect(cli.stdout).toContain(`\n  The service has no port of its own, so it is ${port}\n`)
    await echoes(dial(port, '127.0.0.1'))
    const another = await world.reach(client, 'portless')
    expect(another.cli.stdout).not.toContain('no port of its own')
    await echoes(dial(another.port, '127.0.0.1'))
  })

  test.for([true, false])(
    'is kept at a port that is free, and why that one is said: with an agent %s',
    async (runs) => {
      const service = runs ? 'kept' : 'saved'
      const { home } = await exposing(service)
      if (!runs) await connectOk(home, ['daemon', 'stop'])
      const kept = await connectOk(home, ['reach', service, '--keep'])
      expect(kept).toMatch(
        / is kept at localhost:(\d+)\n {2}The service has no port of its own, so it is \1\n$/,
      )
      expect(await connectOk(home, ['reach', service, '--keep'])).not.toContain('no port of its own')
    },
  )

  test('that nobody listens at is told when it is exposed, and to who connects', async () => {
    const { home, file } = await exposing('gone')
    const missing = `${file}.not`
    const { stderr } = await connect(home, ['expose', `unix:${missing}`, '--name', 'gone'])
    expect(stderr).toBe(`[!] Nothing answers at unix:${missing} now: there is no such file\n`)
    const { port, cli } = await world.reach(client, 'gone')
    await expect(once(dial(port, '127.0.0.1'), 'close')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await cli.printed(
      new RegExp(`failed: the target unix:${missing} can’t be reached: there is no such file\n`),
    )
  })

  test('of a container engine is exposed with a warning, by whatever link', async () => {
    const [home, folder] = [await joined(world, 'engine'), scratchFolder()]
    const file = await echoSocket(path.join(folder, 'docker.sock'))
    symlinkSync(file, path.join(folder, 'other'))
    for (const target of [file, path.join(folder, 'other')]) {
      const { code, stderr } = await connect(home, ['expose', `unix:${target}`, '--name', 'engine'])
      expect(code).toBe(0)
      expect(stderr).toContain(
        '\n[!] This is the socket of a container engine: whoever may reach engine can do',
      )
    }
  })

  test('of an agent or a hub is refused, by whatever link: it would give away control', async () => {
    const { home } = await exposing('control')
    const agent = home.file('agent.sock')
    const link = path.join(scratchFolder(), 'link')
    symlinkSync(path.dirname(agent), link)
    const hub = world.hubHome.file('hub/hub.sock')
    const hardLinks = [agent, hub].map((file, index) => {
      const hardLink = path.join(scratchFolder(), `${index}.sock`)
      linkSync(file, hardLink)
      return hardLink
    })
    for (const file of [agent, path.join(link, 'agent.sock'), hub, ...hardLinks]) {
      const refused = await connect(home, ['expose', `unix:${file}`, '--name', 'stolen'])
      expect(refused, file).toMatchObject({ code: 2, stdout: '' })
      expect(refused.stderr).toContain('is how commands control an agent or a hub')
    }
    const stranger = await joined(world, 'stranger')
    const refused = await connect(stranger, ['expose', `unix:${agent}`, '--name', 'stolen'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
  })

  test('of an agent or a hub is not connected to either, if a link leads there later', async () => {
    const { home, file } = await exposing('link')
    const link = path.join(scratchFolder(), 'link.sock')
    symlinkSync(file, link)
    await connectOk(home, ['expose', `unix:${link}`, '--name', 'link'])
    const { port, cli } = await world.reach(client, 'link')
    await echoes(dial(port, '127.0.0.1'))
    const why = 'can’t be reached: it leads to the socket by which commands control an agent or a hub\n'
    const refusals = () => cli.output.split(why).length - 1
    let expected = 0
    for (const control of [home.file('agent.sock'), world.hubHome.file('hub/hub.sock')])
      for (const makeLink of [symlinkSync, linkSync]) {
        rmSync(link)
        makeLink(control, link)
        await expect(once(dial(port, '127.0.0.1'), 'close')).rejects.toMatchObject({ code: 'ECONNRESET' })
        expected += 1
        await until(() => refusals() === expected)
      }
  })

  test('that a reach listens at is never dialled for a service', async () => {
    const { home } = await exposing('round')
    const socketPath = path.join(scratchFolder(), 'round.sock')
    await reaching('round', socketPath)
    const { stderr } = await connect(home, ['expose', `unix:${socketPath}`, '--name', 'round'])
    const why = 'it is the socket of "connect reach round"'
    expect(stderr).toContain(`[!] Nothing answers at unix:${socketPath} now: ${why}`)
    const { port, cli } = await world.reach(client, 'round')
    await expect(once(dial(port, '127.0.0.1'), 'close')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await cli.printed(new RegExp(`can’t be reached: ${why}`))
  })
})

describe('connect reach --socket', () => {
  test('replaces the socket of a reach that was killed, and nothing else', async () => {
    const { file } = await exposing('taken')
    const folder = scratchFolder()
    const socketPath = path.join(folder, 'taken.sock')
    const refuses = async (at: string, words: string) => {
      const before = statSync(at).ino
      const refused = await connect(client, ['reach', 'taken', '--socket', at])
      expect(refused).toMatchObject({ code: 1, stdout: '' })
      expect(refused.stderr).toContain(words)
      expect(statSync(at).ino).toBe(before)
    }
    const killed = await reaching('taken', socketPath)
    await refuses(socketPath, `Could not listen at ${socketPath}: a program listens there\n`)
    await killed.stop('SIGKILL')
    // Of those who find it at once, one gets it.
    const racers = Array.from({ length: 3 }, () =>
      world.keep(startConnect(client, ['reach', 'taken', '--socket', socketPath])),
    )
    const outcomes = await Promise.all(
      racers.map((racer) => racer.printed(/is at unix:|a program listens there/)),
    )
    const [again, ...others] = racers.filter((_, index) => outcomes[index]?.[0] === 'is at unix:')
    expect(others).toEqual([])
    await echoes(dial(socketPath))
    await again!.stop('SIGINT')
    expect(existsSync(socketPath)).toBe(false)

    await refuses(file, 'a program listens there\n  Give another path.\n')
    writeFileSync(socketPath, 'mine')
    await refuses(socketPath, 'there is a file already\n  Give another path.\n')
    expect(readFileSync(socketPath, 'utf8')).toBe('mine')
    await refuses(folder, `${folder} is a folder\n  Give a path in it. For psql -h ${folder}: --socket`)
    rmSync(socketPath)
    const dead = startConnect(client, ['reach', 'taken', '--socket', socketPath])
    await dead.printed(/is at unix:/)
    await dead.stop('SIGKILL')
    // As if /tmp had been cleared: then nobody knows whose it was.
    rmSync(path.join(userFolder(), 'sockets', shortHash(socketPath)))
    await refuses(
      socketPath,
      'a program that has ended left its socket there\n' +
        `  If nobody needs it any more, delete it: rm ${socketPath}\n`,
    )
  })

  test('leaves alone what another program has put in the place of its socket', async () => {
    await exposing('moved')
    const socketPath = path.join(scratchFolder(), 'moved.sock')
    const reach = await reaching('moved', socketPath)
    rmSync(socketPath)
    await echoSocket(socketPath)
    await reach.stop('SIGTERM')
    await echoes(dial(socketPath))
  })

  test.for([
    [
      'a path that is too long',
      ['--socket', `/tmp/${'x'.repeat(120)}`],
      /is too long for a Unix socket: it has 125 bytes/,
    ],
    [
      'a port besides',
      ['--socket', '/tmp/x', '--port', '80'],
      /^\[x\] --socket and --port can’t be used together\n/,
    ],
    ['a folder that is to be the home folder', ['--socket', '~/x'], /the ~ is not your home folder/],
    ['no path', ['--socket', ''], /The path of a file is empty/],
  ] as const)('refuses %s, with exit code 2', async ([, args, words]) => {
    const refused = await connect(client, ['reach', 'any', ...args])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(words)
  })

  test('says which folder is missing', async () => {
    await exposing('nowhere')
    const folder = path.join(scratchFolder(), 'no', 'such')
    const refused = await connect(client, ['reach', 'nowhere', '--socket', path.join(folder, 'x')])
    expect(refused).toMatchObject({
      code: 1,
      stderr:
        `[x] There is no folder ${folder} to make the socket in\n` +
        `  Make it, for your user alone: mkdir -m 700 ${folder}\n`,
    })
    mkdirSync(folder, { recursive: true })
    await reaching('nowhere', path.join(folder, 'x'))
  })

  test('tells programs where it is', async () => {
    await exposing('told')
    const socketPath = path.join(scratchFolder(), 'told.sock')
    const reach = world.keep(startConnect(client, ['reach', 'told', '--socket', socketPath, '--json']))
    await reach.printed(/\n\}\n/)
    expect(JSON.parse(reach.stdout)).toEqual({
      warnings: [],
      name: 'told',
      label: 'told',
      because: null,
      host: null,
      port: null,
      addresses: [],
      socket: socketPath,
      online: true,
    })
  })
})
