import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { connect, connectOk, root } from '../helpers/cli.ts'
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

  test('passes the conformance suite, in the test that is printed beside it', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env
    const args = ['--test', '--test-reporter=tap']
    const { code, stdout } = await run(process.execPath, args, { cwd: folder, env, timeoutMs: 560_000 })
    expect(
      stdout.split('\n').filter((line) => line.startsWith('not ok')),
      stdout,
    ).toEqual([])
    expect(stdout).toMatch(/^# pass 4\d$/m)
    expect(code).toBe(0)
  })

  test('keeps the daemon alive when it is installed as a user does it', async () => {
    const world = own(await World.start(), (it) => it.stop())
    const home = await world.machine('runit')
    const services = path.join(home.folder, 'service')
    mkdirSync(services)
    own(start('runsvdir', ['-P', services], { env: home.env }), (it) => it.stop('SIGHUP'))
    await connectOk(home, ['plugins', 'link', '--no-install', folder])
    const env = { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }
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
})
