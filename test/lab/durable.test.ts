import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { runJs } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { labSuite } from './helpers/suite.ts'

/**
 * What a command has the kernel put on the disk below this folder, and what it renames there, in that order.
 */
function synced(home: Home, folder: string, args: readonly string[]): string[] {
  const trace = path.join(scratchFolder(), 'trace')
  const calls = 'trace=fsync,fdatasync,rename,renameat,renameat2'
  execFileSync(
    'strace',
    ['-f', '-y', '-s', '4096', '-e', calls, '-o', trace, process.execPath, runJs, ...args],
    {
      env: home.env,
    },
  )
  const lines = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(' = 0') && line.includes(folder))
  return lines.map((line) => {
    const [, call = ''] = /(fsync|fdatasync|rename)/.exec(line) ?? []
    const files = [...line.matchAll(/[<"]([^>"]+)[>"]/g)].map(([, file = '']) => path.relative(folder, file))
    return [
      call,
      ...files.map((file) => (file === '' ? '.' : file.replace(/\.\d+\.\w+\.tmp$/, '.tmp'))),
    ].join(' ')
  })
}

labSuite('what is answered as done outlives a power cut:', { programs: ['strace'] }, () => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('a service that is exposed', async () => {
    const home = await joined(world)
    const lines = synced(home, path.dirname(home.file('services.json')), [
      'expose',
      '5432',
      '--name',
      'postgres',
    ])
    expect(lines.slice(0, 3)).toEqual([
      'fsync services.json.tmp',
      'rename services.json.tmp services.json',
      'fsync .',
    ])
  })

  test('a join token, which is in the database of the hub', () => {
    const lines = synced(world.hubHome, world.hubHome.file('hub'), ['hub', 'token', 'create'])
    expect(lines).toContainEqual(expect.stringMatching(/^f(data)?sync hub\.db-wal$/))
  })
})
