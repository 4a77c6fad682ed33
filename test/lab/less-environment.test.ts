import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ALWAYS_WORK, endsInWords, EVERY_COMMAND } from '../fixtures/product/every-command.ts'
import { joined } from '../fixtures/joined.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connectOk, runJs } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** Has no entry in the user database. */
const NOBODYS = 12_345
const AS_NOBODY = ['setpriv', '--reuid', `${NOBODYS}`, '--regid', `${NOBODYS}`, '--clear-groups'] as const

function run(by: readonly string[], line: string, env: NodeJS.ProcessEnv, cwd = '/') {
  const command = [...by, process.execPath, runJs, ...line.split(' ')]
  return runProgram(command as [string, ...string[]], { env, cwd })
}

test('a user without an entry, and without HOME, gets a sentence from every command', async () => {
  const codes: Record<string, number | null> = {}
  for (const line of EVERY_COMMAND)
    codes[line] = await endsInWords(run(AS_NOBODY, line, { PATH: process.env.PATH }), line)
  for (const line of ALWAYS_WORK) expect([line, codes[line]]).toEqual([line, 0])
  const login = run(AS_NOBODY, `login --hub ${world.hubUrl}`, {
    PATH: process.env.PATH,
    PRIVATECONNECT_TOKEN: await world.joinToken(),
  })
  await login.exited
  expect(login.output).toBe(
    '[x] Could not use the folder ~/.privateconnect: HOME is not set, and the user database knows no home folder for this user\n' +
      '  Set HOME to a folder that is there and belongs to this user: HOME=/FOLDER connect …\n',
  )
})

test('with HOME such a user has a daemon like any other', async () => {
  const home = await joined(world)
  execFileSync('chmod', ['755', path.dirname(home.folder)])
  const give = (user: number) => execFileSync('chown', ['-R', `${user}:${user}`, home.folder])
  give(NOBODYS)
  // Before its agents are looked for: root believes nothing that is another's.
  onTestFinished(() => void give(0))
  const env = { PATH: process.env.PATH, HOME: home.folder }
  for (const line of ['daemon start', 'daemon status', 'services', 'daemon restart', 'daemon stop'])
    expect(await endsInWords(run(AS_NOBODY, line, env), line), line).toBe(0)
})

test('without /proc nothing is taken for the agent, and that is said', async () => {
  const home = await joined(world)
  const by = ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$0" "$@"']
  const codes: Record<string, number | null> = {}
  for (const line of EVERY_COMMAND) codes[line] = await endsInWords(run(by, line, home.env), line)
  expect(codes).toMatchObject({ 'daemon start': 1, 'daemon stop': 0, services: 0, help: 0 })
  await connectOk(home, ['daemon', 'start'])
  for (const line of ['daemon status', 'daemon stop', 'daemon restart']) {
    const running = run(by, line, home.env)
    expect(await endsInWords(running, line)).toBe(1)
    expect(running.output).toMatch(/^\[x\] There is no \/proc here/m)
  }
  expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
})

test('on a disk that can only be read every command works, or says so', async () => {
  const home = await joined(world)
  mkdirSync(home.file('hub'))
  const mount = 'mount --bind "$HOME" "$HOME" && mount -o remount,bind,ro "$HOME" && exec "$0" "$@"'
  const by = ['unshare', '-m', 'sh', '-c', mount]
  const codes: Record<string, number | null> = {}
  for (const line of EVERY_COMMAND) codes[line] = await endsInWords(run(by, line, home.env), line)
  expect(codes).toMatchObject({ 'daemon start': 1, 'daemon status': 0, services: 0, login: 0, help: 0 })
})
