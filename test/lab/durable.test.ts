import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connectOk, runJs } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

const STRACE = ['-f', '-y', '-s', '4096', '-e', 'trace=fsync,fdatasync,rename,renameat,renameat2', '-o']

/**
 * What a command has the kernel put on the disk below this folder, and what it renames there, in that order.
 */
function synced(home: Home, folder: string, args: readonly string[]): string[] {
  const trace = path.join(scratchFolder(), 'trace')
  execFileSync('strace', [...STRACE, trace, process.execPath, runJs, ...args], { env: home.env })
  return callsBelow(folder, trace)
}

/** The same of a process that runs, while something is done. */
async function syncedBy(pid: number, folder: string, work: () => Promise<unknown>): Promise<string[]> {
  const trace = path.join(scratchFolder(), 'trace')
  const strace = start('strace', [...STRACE, trace, '-p', String(pid)])
  await strace.printed(/attached/)
  await work()
  await strace.stop('SIGINT')
  return callsBelow(folder, trace)
}

function callsBelow(folder: string, trace: string): string[] {
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

  const JOURNAL = expect.stringMatching(/^f(data)?sync hub\.db-wal$/)

  test('a join token, which is in the database of a hub that does not run', () => {
    const home = emptyHome('no-hub')
    mkdirSync(home.folder, { recursive: true })
    expect(synced(home, home.file('hub'), ['hub', 'token', 'create'])).toContainEqual(JOURNAL)
  })

  test('a join token that the hub makes', async () => {
    const { hub, hubHome } = world
    const make = () => connectOk(hubHome, ['hub', 'token', 'create'])
    expect(await syncedBy(hub.pid, hubHome.file('hub'), make)).toContainEqual(JOURNAL)
  })
})
