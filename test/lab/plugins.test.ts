import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { drive } from '../../src/platforms/conformance/harness/drive.ts'
import type { PlatformDescription, PluginPlatform } from '../../src/platforms/platform.ts'
import { identify } from '../../src/process/identity.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, root, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { documented } from './helpers/documented.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { copyPlugin, pluginFolder } from './helpers/plugin-copy.ts'
import { writePrintedFiles } from './helpers/printed-files.ts'
import { runOk, start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

interface Plugin {
  readonly name: string
  readonly programs: readonly string[]
  /** Where a home's services lie. */
  readonly services: string
  /** What looks after a folder of services. */
  readonly supervisor: (services: string) => readonly [string, ...string[]]
  /** By this it ends what it looks after, and then itself. */
  readonly end: NodeJS.Signals
}

const PLUGINS: readonly Plugin[] = [
  {
    name: 'runit',
    programs: ['runsvdir', 'sv'],
    services: 'service',
    supervisor: (services) => ['runsvdir', '-P', services],
    end: 'SIGHUP',
  },
  {
    name: 's6',
    programs: ['s6-svscan', 's6-svc', 's6-svscanctl', 's6-svstat'],
    services: '.s6/service',
    supervisor: (services) => ['s6-svscan', services],
    end: 'SIGTERM',
  },
]

const env = { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }

/** What is in a folder of services but what the service manager has there for itself. */
function left(services: string): string[] {
  return readdirSync(services).filter((entry) => entry !== '.s6-svscan')
}

labSuite('a plugin that begins with an empty folder', { programs: ['npm'] }, () => {
  const own = ownedBySuite()

  test('is, by what docs/platform-plugins.md says, the plugin for runit', async () => {
    const folder = pluginFolder(own)
    await runOk('sh', ['-ec', documented('platform-plugins.md', 'sh', {})], { cwd: folder })
    const made = path.join(folder, 'private-connect-runit')
    const names = writePrintedFiles(path.join(root, 'docs', 'platform-plugins.md'), made)
    expect(names).toEqual(['package.json', 'description.js', 'platform.test.js'])
    const original = path.join(root, 'plugins', 'runit')
    for (const file of readdirSync(original).filter((name) => !names.includes(name)))
      cpSync(path.join(original, file), path.join(made, file))
    const packed = async (source: string) =>
      JSON.parse(await runOk('npm', ['pack', '--dry-run', '--json'], { cwd: source })) as unknown
    expect(await packed(made)).toEqual(await packed(original))
  })
})

for (const { name, programs, services: below, supervisor, end } of PLUGINS)
  labSuite(`the plugin for ${name}`, { programs }, () => {
    const own = ownedBySuite()
    let folder: string

    beforeAll(() => {
      folder = copyPlugin(own, name)
    })

    /** Has the service manager look after the home's services, and the plugin found in it. */
    async function managed(home: Home): Promise<{ services: string; manager: RunningCli }> {
      const services = path.join(home.folder, below)
      mkdirSync(services, { recursive: true })
      await connectOk(home, ['plugins', 'link', folder])
      return { services, manager: startManager(home, services) }
    }

    function startManager(home: Home, services: string): RunningCli {
      const [program, ...args] = supervisor(services)
      return own(start(program, args, { env: home.env }), (it) => it.stop(end))
    }

    test('keeps the daemon alive when it is installed as a user does it', async () => {
      const world = own(await World.start(), (it) => it.stop())
      const home = await world.machine(name)
      const { services } = await managed(home)
      const debug = { ...env, DEBUG: '*:daemon:*', NO_COLOR: '1' }
      const taken = async (action: string) => {
        const { code, stdout, stderr } = await connect(home, ['daemon', action], { env: debug })
        expect(code, stdout + stderr).toBe(0)
        return [...stderr.matchAll(/connect:daemon:\w+ ([A-Z].*: (?:done|skipped|failed).*?)$/gm)].map(
          ([, line]) => line,
        )
      }
      await connectOk(home, ['daemon', 'install'], { env })
      const status = await connectOk(home, ['daemon', 'status'], { env })
      expect(status).toContain('● Status: running')
      expect(status).toContain('Service installed: yes')
      const ends = (kill: string) => [
        'Send SIGTERM: done',
        'Wait up to 5 s for a clean exit: done',
        `Send SIGKILL: ${kill}`,
      ]
      const STOPPED = ['Keep it down: done', 'Remove the PID file: done']
      const START = [
        'Spawn the agent: done',
        'Wait up to 3 s for it to stabilise: done',
        'Verify that it still runs: done',
      ]
      const CHECK = 'Check the configuration: done'
      expect(await taken('stop')).toEqual([...ends('skipped, it has exited'), ...STOPPED])
      expect(await taken('start')).toEqual([CHECK, ...START])
      expect(await taken('restart')).toEqual([CHECK, ...ends('skipped, it has exited'), ...STOPPED, ...START])
      // One that ignores SIGTERM, in the place of the agent, as soon as that is started again.
      const script = path.join(services, 'private-connect-default', 'run')
      const written = readFileSync(script, 'utf8')
      const stubborn = written.replace(/^exec env [^]*$/m, "trap '' TERM\nwhile :; do sleep 0.1; done\n")
      writeFileSync(script, stubborn)
      const { pid } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'], { env })) as {
        pid: number
      }
      process.kill(pid, 'SIGKILL')
      const next = expect.not.toSatisfy((it) => it === null || it === pid) as number
      const statusNow = async () =>
        JSON.parse(await connectOk(home, ['daemon', 'status', '--json'], { env })) as object
      await expect.poll(statusNow, { timeout: 60_000 }).toMatchObject({ pid: next })
      expect(await taken('stop')).toEqual([...ends('done'), ...STOPPED])
      // A start has it written as it should be.
      expect(await connectOk(home, ['daemon', 'start'], { env })).toContain('Updated')
      expect(readFileSync(script, 'utf8')).toBe(written)
      expect(await taken('uninstall')).toEqual([
        ...ends('skipped, it has exited'),
        'Remove the service folder: done',
        'Remove the PID file: done',
      ])
      expect(await connectOk(home, ['daemon', 'status'], { env })).toContain('○ Status: stopped')
    })

    test('leaves nothing of an installation that fails, and says how it ended', async () => {
      const home = emptyHome(`${name}-fails`)
      const services = path.join(home.folder, below)
      mkdirSync(services, { recursive: true })
      startManager(home, services)
      const module = pathToFileURL(path.join(folder, 'description.js')).href
      const { default: platforms } = (await import(module)) as {
        default: () => Promise<PlatformDescription<PluginPlatform>>
      }
      const instance = instanceFor(undefined, home.folder)
      const platform = await (await platforms()).load({ instance, env: home.env })
      const daemon = {
        command: ['/bin/sh', '-c', 'echo no such database; exit 3'],
        env: home.env,
        cwd: home.folder,
        logFile: path.join(home.folder, 'daemon.log'),
      } as const
      const options = { isReady: async () => false, stableMs: 20_000 }
      await expect(drive(() => platform.install(daemon, options))).rejects.toMatchObject({
        code: 'DAEMON_FAILED',
        message: 'Daemon failed to start: Process exited with code 3',
      })
      expect(readFileSync(daemon.logFile, 'utf8')).toBe('no such database\n')
      expect(left(services)).toEqual([])
    })

    test('keeps the hub alive: after a crash, after a reboot, and not after a stop', async () => {
      const home = emptyHome(`${name}-hub`)
      const { services, manager } = await managed(home)
      const hub = (line: string) => connectOk(home, ['hub', ...line.split(' ')], { env, timeoutMs: 60_000 })
      const status = async () => JSON.parse(await hub('status --json')) as Record<string, unknown>
      const otherThan = (pid: unknown) =>
        expect
          .poll(async () => (await status()).pid, { timeout: 60_000 })
          .not.toSatisfy((now) => now === null || now === pid)
      expect(await hub('install --listen 127.0.0.1:0')).toContain('[ok] Hub installed and started\n')
      const installed = await status()
      expect(installed).toMatchObject({ status: 'running', installed: true, manager: { name } })
      process.kill(installed.pid as number, 'SIGKILL')
      await otherThan(installed.pid)
      await hub('status --wait 60s')
      // As the machine’s end and its next start are for the service manager.
      const { pid } = await status()
      await manager.stop(end)
      await expect.poll(() => identify(pid as number), { timeout: 30_000 }).toBeUndefined()
      const again = startManager(home, services)
      await otherThan(pid)
      await hub('status --wait 60s')
      expect(await hub('stop')).toBe('[ok] Hub stopped\n')
      await again.stop(end)
      startManager(home, services)
      // Until then it says that nobody looks after it.
      await expect.poll(async () => (await status()).reason, { timeout: 30_000 }).toBeNull()
      expect(await status()).toMatchObject({ status: 'stopped', installed: true, autostart: 'never' })
      expect(await hub('start')).toContain('[ok] Hub started')
      expect(await hub('uninstall')).toContain('[ok] Hub uninstalled\n')
      expect(left(services)).toEqual([])
      expect(await status()).toMatchObject({ status: 'stopped', installed: false })
    })
  })
