import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatInvite } from '../../src/tunnel/protocol/invite.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** All files below a folder, but for what Node.js itself caches there. */
function entriesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((entry) => !entry.startsWith(path.join(folder, 'cache', path.sep)))
}

/** The mode of each that others could look into. */
function openToOthers(home: Home): string[] {
  const folder = home.file('.')
  return [folder, ...entriesOf(folder)].flatMap((entry) => {
    const found = lstatSync(entry)
    const wanted = found.isDirectory() ? 0o700 : 0o600
    return (found.mode & 0o777) === wanted ? [] : [`${entry} ${(found.mode & 0o777).toString(8)}`]
  })
}

test('an invite, its token and the private key appear nowhere but where they belong', async () => {
  const home = emptyHome()
  const token = await world.joinToken(['--uses', '5'])
  const invite = formatInvite({ address: world.hubUrl, token })
  const env = { PRIVATECONNECT_TOKEN: invite }
  const shown: string[] = []
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await connect(home, args, { env: { ...env, DEBUG: 'connect' } })
    shown.push(stdout, stderr)
  }
  for (const typed of [invite, token]) await run('login', '--hub', typed, '--json')
  await run('login', '--json')
  await run('daemon', 'start', '--json')
  await run('expose', '80', '--name', 'web', '--json')
  shown.push(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }))
  for (const args of [
    ['whoami'],
    ['services'],
    ['daemon', 'status'],
    ['daemon', 'logs'],
    ['daemon', 'restart'],
  ])
    await run(...args, '--json')
  await run('login', '--hub', 'https://other.example.com')
  shown.push(world.hub.output)

  const { key } = JSON.parse(readFileSync(home.file('config.json'), 'utf8')) as { key: { d: string } }
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { pid: number }
  const environ = `/proc/${pid}/environ`
  if (existsSync(environ)) shown.push(readFileSync(environ, 'utf8'))
  const isFile = (file: string) => lstatSync(file).isFile()
  const files = [home, world.hubHome].flatMap((one) => entriesOf(one.file('.')).filter(isFile))
  expect(files).toContain(home.file('daemon.log'))

  for (const text of shown)
    expect(
      [token, invite, key.d].some((secret) => text.includes(secret)),
      text,
    ).toBe(false)
  for (const file of files) {
    const content = readFileSync(file)
    expect(content.includes(token) || content.includes(invite), file).toBe(false)
    expect(content.includes(key.d), file).toBe(file === home.file('config.json'))
  }
})

test('everything that is kept is for us alone, whatever the umask', async () => {
  const home = await joined(world)
  const before = process.umask(0)
  try {
    const other = ['--config', home.file('staging.json')]
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(home, ['login', '--hub', world.hubUrl, ...other], { env })
    await connectOk(home, ['expose', '80', '--name', 'saved', ...other])
    const up = world.keep(startConnect(home, ['up', ...other]))
    await up.printed(/Connected to hub/)
    await connectOk(home, ['daemon', 'start'])
    await connectOk(home, ['expose', '80', '--name', 'api'])
    expect(readdirSync(home.file('.'))).toEqual(
      expect.arrayContaining([
        'agent.sock',
        'daemon.log',
        'daemon.pid',
        'services.json',
        'staging.agent.sock',
      ]),
    )
    expect(openToOthers(home)).toEqual([])
    await up.stop()
  } finally {
    process.umask(before)
  }
  expect(readdirSync(world.hubHome.file('hub'))).toContain('hub.db')
  expect(openToOthers(world.hubHome)).toEqual([])
})
