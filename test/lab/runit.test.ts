import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, root, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { writePrintedFiles } from './helpers/printed-files.ts'
import { run, start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('the plugin that docs/platform-plugins.md prints', { programs: ['runsvdir', 'sv'] }, () => {
  const own = ownedBySuite()
  let folder: string

  beforeAll(() => {
    folder = own(mkdtempSync(path.join(tmpdir(), 'pc-plugin-')), (it) => rmSync(it, { recursive: true }))
    const names = writePrintedFiles(path.join(root, 'docs', 'platform-plugins.md'), folder)
    expect(names).toEqual(['package.json', 'description.js', 'platform.js', 'platform.test.js'])
    // What npm install would put there.
    mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true })
    symlinkSync(root, path.join(folder, 'node_modules', 'private-connect'))
    const types = path.join('@types', 'node')
    symlinkSync(path.join(root, 'node_modules', types), path.join(folder, 'node_modules', types))
  })

  test('has the types that it says', async () => {
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = '--checkJs --noEmit --strict --module nodenext --types node --skipLibCheck'.split(' ')
    const files = ['description.js', 'platform.js', 'platform.test.js']
    const result = await run(process.execPath, [tsc, ...options, ...files], { cwd: folder, env: process.env })
    expect(result).toMatchObject({ stdout: '', stderr: '', code: 0 })
  })

  test('passes the conformance suite for an agent and for a hub, in the test that is printed beside it', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env
    // Each with a service manager of its own: most of it is waiting.
    const runs = ['agent', 'hub'].map(async (kind) => {
      const args = ['--test', '--test-reporter=tap', `--test-name-pattern=^${kind}: `]
      const { code, stdout } = await run(process.execPath, args, { cwd: folder, env, timeoutMs: 560_000 })
      const failed = stdout.split('\n').filter((line) => line.startsWith('not ok'))
      expect(failed, stdout).toEqual([])
      expect(stdout).toMatch(/^# pass 2\d$/m)
      expect(code).toBe(0)
    })
    await Promise.all(runs)
  })

  const env = { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }

  /** Has runsvdir look after the home's services, and the plugin found in it. */
  async function managed(home: Home): Promise<{ services: string; runsvdir: RunningCli }> {
    const services = path.join(home.folder, 'service')
    mkdirSync(services, { recursive: true })
    await connectOk(home, ['plugins', 'link', '--no-install', folder])
    return { services, runsvdir: startManager(home, services) }
  }

  function startManager(home: Home, services: string): RunningCli {
    return own(start('runsvdir', ['-P', services], { env: home.env }), (it) => it.stop('SIGHUP'))
  }

  test('keeps the daemon alive when it is installed as a user does it', async () => {
    const world = own(await World.start(), (it) => it.stop())
    const home = await world.machine('runit')
    const { services } = await managed(home)
    await connectOk(home, ['daemon', 'install'], { env })
    const status = await connectOk(home, ['daemon', 'status'], { env })
    expect(status).toContain('● Status: running')
    expect(status).toContain('Service installed: yes')
    const debug = { ...env, DEBUG: '*:daemon:*', NO_COLOR: '1' }
    const taken = async (action: string) => {
      const { code, stdout, stderr } = await connect(home, ['daemon', action], { env: debug })
      expect(code, stdout + stderr).toBe(0)
      return [...stderr.matchAll(/connect:daemon:\w+ ([A-Z].*: (?:done|skipped|failed).*?)$/gm)].map(
        ([, line]) => line,
      )
    }
    const ends = (kill: string) => [
      'Send SIGTERM: done',
      'Wait up to 5 s for a clean exit: done',
      `Send SIGKILL: ${kill}`,
    ]
    const REMOVE = 'Remove the PID file: done'
    const START = [
      'Spawn the agent: done',
      'Wait up to 3 s for it to stabilise: done',
      'Verify that it still runs: done',
    ]
    const CHECK = 'Check the configuration: done'
    expect(await taken('stop')).toEqual([...ends('skipped, it has exited'), REMOVE])
    expect(await taken('start')).toEqual([CHECK, ...START])
    expect(await taken('restart')).toEqual([CHECK, ...ends('skipped, it has exited'), REMOVE, ...START])
    // One that ignores SIGTERM: in the place of the agent, from its next start on.
    const service = path.join(services, 'private-connect-default', 'run')
    const script = readFileSync(service, 'utf8')
    writeFileSync(service, script.replace(/^exec env [^]*$/m, "trap '' TERM\nwhile :; do sleep 0.1; done\n"))
    await taken('restart')
    expect(await taken('stop')).toEqual([...ends('done'), REMOVE])
    expect(await taken('uninstall')).toEqual([
      ...ends('skipped, it has exited'),
      'Take it away from runsvdir: done',
      'Remove the service folder: done',
      REMOVE,
    ])
    expect(await connectOk(home, ['daemon', 'status'], { env })).toContain('○ Status: stopped')
  })

  test('keeps the hub alive: after a crash, after a reboot, and not after a stop', async () => {
    const home = emptyHome('runit-hub')
    const { services, runsvdir } = await managed(home)
    const hub = (line: string) => connectOk(home, ['hub', ...line.split(' ')], { env, timeoutMs: 60_000 })
    const status = async () => JSON.parse(await hub('status --json')) as Record<string, unknown>
    const otherThan = (pid: unknown) =>
      expect
        .poll(async () => (await status()).pid, { timeout: 60_000 })
        .not.toSatisfy((now) => now === null || now === pid)
    expect(await hub('install --listen 127.0.0.1:0')).toContain('[ok] Hub installed and started\n')
    const installed = await status()
    expect(installed).toMatchObject({ status: 'running', installed: true, manager: { name: 'runit' } })
    process.kill(installed.pid as number, 'SIGKILL')
    await otherThan(installed.pid)
    await hub('status --wait 60s')
    // As the machine’s end and its next start are for runit.
    const { pid } = await status()
    await runsvdir.stop('SIGHUP')
    await expect.poll(() => identify(pid as number)).toBeUndefined()
    startManager(home, services)
    await otherThan(pid)
    await hub('status --wait 60s')
    expect(await hub('stop')).toBe('[ok] Hub stopped\n')
    expect(await hub('start')).toContain('[ok] Hub started')
    expect(await hub('uninstall')).toContain('[ok] Hub uninstalled\n')
    expect(readdirSync(services)).toEqual([])
    expect(await status()).toMatchObject({ status: 'stopped', installed: false })
  })
})
