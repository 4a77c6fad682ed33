import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { isGone } from './helpers/is-gone.ts'
import { makeLauncher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { run } from './helpers/run.ts'
import { sshPrograms, startSshd, type Sshd } from './helpers/sshd.ts'
import { labSuite } from './helpers/suite.ts'

const env = { CONNECT_PLATFORM: 'background' }

labSuite('a daemon and the shells of a remote machine', { programs: sshPrograms, root: true }, () => {
  const own = ownedBySuite()
  let world: World
  let sshd: Sshd
  let server: Home
  /** The local port that leads to the server's sshd, through its daemon. */
  let tunnel: number

  beforeAll(async () => {
    const launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
    server = await world.machine('server')
    const client = await world.machine('client')
    sshd = own(await startSshd(server, { ...env, PATH: launcher.path }), (it) => it.stop())
    await connectOk(server, ['daemon', 'start'], { env })
    await connectOk(server, ['expose', String(sshd.port), '--name', 'shell'], { env })
    tunnel = (await world.reach(client, 'shell')).port
  })

  interface Status {
    readonly status: string
    readonly pid: number | null
    readonly lastExit: { readonly signal: string | null; readonly reason: string } | null
  }

  const statusOf = async () =>
    JSON.parse(await connectOk(server, ['daemon', 'status', '--json'], { env })) as Status

  /** Each test begins with a daemon that is connected. */
  let before: number
  beforeEach(async () => {
    await connectOk(server, ['daemon', 'start'], { env })
    await connectOk(server, ['daemon', 'status', '--wait', '30s'], { env })
    before = (await statusOf()).pid!
  })

  const directly = (command: string) =>
    run('ssh', [...sshd.client, 'dev-server', command], { timeoutMs: 30_000 })
  const carried = (command: string, options: readonly string[] = []) =>
    run('ssh', [...options, ...sshd.through(tunnel), 'dev-server', command], { timeoutMs: 90_000 })

  async function serviceAnswers(): Promise<void> {
    expect((await carried('echo "$HOME"')).stdout).toBe(`${server.folder}\n`)
  }

  const WARNING = /^\[!\] This shell comes through the daemon: it is cut off /m

  describe('over ssh', () => {
    test('daemon start returns, and holds nothing of the connection’s', async () => {
      await directly('connect daemon stop')
      expect(await directly('connect daemon start')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('[ok] Daemon started (PID: '),
        stderr: '',
      })
      const { pid } = await statusOf()
      const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
      const pipes = links.filter((link) => link.startsWith('pipe:'))
      expect(pipes.filter((pipe) => pipes.filter((other) => other === pipe).length < 2)).toEqual([])
      await serviceAnswers()
    })

    test('a shell that does not come through the daemon is not warned', async () => {
      expect(await directly('echo "$SSH_CONNECTION"')).toMatchObject({
        stdout: expect.stringMatching(/^127\.0\.0\.1 /),
      })
      for (const command of ['connect daemon restart', 'connect daemon stop', 'connect daemon start'])
        expect(await directly(command), command).toMatchObject({ code: 0, stderr: '' })
      await serviceAnswers()
    })
  })

  describe.each([
    ['with a terminal', ['-tt']],
    ['without a terminal', []],
  ] as const)('in a shell that the daemon carries, %s,', (_, options) => {
    test('restart warns, finishes though the connection breaks, and the service answers again', async () => {
      const { code, stdout, stderr } = await carried('connect daemon restart', options)
      // Its own end is what it was warned of.
      expect(code).not.toBe(0)
      expect(stdout + stderr).toMatch(WARNING)
      await isGone(before)
      await expect.poll(async () => (await statusOf()).status, { timeout: 30_000 }).toBe('running')
      await connectOk(server, ['daemon', 'status', '--wait', '30s'], { env })
      const { pid } = await statusOf()
      expect(pid).not.toBe(before)
      expect(readFileSync(server.file('daemon.pid'), 'utf8')).toBe(`${pid}\n`)
      await serviceAnswers()
    })

    test('start --replace does so, too', async () => {
      const { stdout, stderr } = await carried('connect daemon start --replace', options)
      expect(stdout + stderr).toMatch(WARNING)
      await isGone(before)
      await expect.poll(async () => (await statusOf()).status, { timeout: 30_000 }).toBe('running')
      await connectOk(server, ['daemon', 'status', '--wait', '30s'], { env })
      await serviceAnswers()
    })

    test('stop warns, and ends the daemon wholly', async () => {
      const { stdout, stderr } = await carried('connect daemon stop', options)
      expect(stdout + stderr).toMatch(WARNING)
      await isGone(before)
      await expect
        .poll(() => existsSync(server.file('daemon.pid')) || existsSync(server.file('agent.sock')), {
          timeout: 30_000,
        })
        .toBe(false)
      expect(await statusOf()).toMatchObject({
        status: 'stopped',
        pid: null,
        lastExit: { signal: 'SIGTERM' },
      })
      const stopped = await connect(server, ['daemon', 'stop'], { env })
      expect(stopped).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('nothing to stop'),
      })
      await noCommandIsLeft()
    })

    test('what restart writes to a file is whole', async () => {
      const said = path.join(server.folder, 'said')
      await carried(`connect daemon restart > '${said}' 2>&1`, options)
      const content = () => (existsSync(said) ? readFileSync(said, 'utf8') : '')
      await expect
        .poll(content, { timeout: 30_000 })
        .toMatch(/\[ok\] Daemon stopped\n\[ok\] Daemon started\n {2}PID: \d+\n {2}Hub: /)
      expect(content()).toMatch(WARNING)
      expect(content()).not.toMatch(/\[x\]|Error/)
      await noCommandIsLeft()
    })
  })

  /** The command whose terminal went away has come to its end, too. */
  async function noCommandIsLeft(): Promise<void> {
    const commands = () =>
      readdirSync('/proc')
        .filter((entry) => /^\d+$/.test(entry))
        .filter((pid) => commandLine(Number(pid)).includes('run.js daemon '))
        .filter((pid) => environmentOf(Number(pid)).includes(`HOME=${server.folder}`))
        .filter((pid) => identify(Number(pid)))
    await expect.poll(commands, { timeout: 30_000 }).toEqual([])
  }
})

const commandLine = (pid: number) => readProc(pid, 'cmdline').replaceAll('\0', ' ')
const environmentOf = (pid: number) => readProc(pid, 'environ').split('\0')

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}
