import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
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
    const { code, stdout } = await run(process.execPath, args, { cwd: folder, env, timeoutMs: 280_000 })
    expect(stdout.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([])
    expect(stdout).toMatch(/^# pass 2\d$/m)
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
    expect(await connect(home, ['daemon', 'uninstall'], { env })).toMatchObject({ code: 0, stderr: '' })
    expect(await connectOk(home, ['daemon', 'status'], { env })).toContain('○ Status: stopped')
  })
})
