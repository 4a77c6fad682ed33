import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALWAYS_WORK, endsInWords, EVERY_COMMAND } from '../fixtures/product/every-command.ts'
import { joined } from '../fixtures/joined.ts'
import { needsTerminal } from '../fixtures/machine/needs-terminal.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, runJs } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** What a command is run by, before the program itself. */
const WITHOUT: readonly [what: string, by: readonly string[]][] = [
  [
    'any variable but HOME, and with a locale, a terminal and a TMPDIR that are not there',
    ['env', '-i', 'HOME=$HOME', 'LC_ALL=bogus', 'TERM=bogus', 'TMPDIR=/nonexistent/tmp'],
  ],
  ['stdin, stdout and stderr', ['sh', '-c', 'exec "$0" "$@" <&- >&- 2>&-']],
  ['a working folder', ['sh', '-c', 'cd "$HOME/gone" && rmdir "$HOME/gone" && exec "$0" "$@"']],
]

function run(home: Home, by: readonly string[], line: string) {
  const words = by.map((word) => word.replace('$HOME', () => (by[0] === 'env' ? home.folder : '$HOME')))
  mkdirSync(path.join(home.folder, 'gone'), { recursive: true })
  const command = [...words, process.execPath, runJs, ...line.split(' ')]
  return runProgram(command as [string, ...string[]], { env: home.env, cwd: home.folder })
}

testVariations(WITHOUT)('without %s every command works, or says why not', async ([, by]) => {
  const home = await joined(world)
  const codes: Record<string, number | null> = {}
  for (const line of EVERY_COMMAND) codes[line] = await endsInWords(run(home, by, line), line)
  // It is a machine like any other.
  const failing = { 'daemon install --dry-run': 1, 'reach nothing': 1, nonsense: 2 }
  const works = EVERY_COMMAND.filter((line) => !(line in failing) && !line.startsWith('hub '))
  for (const line of [...works, ...ALWAYS_WORK]) expect([line, codes[line]]).toEqual([line, 0])
})

test('a terminal of no width gets the same words', async (context) => {
  needsTerminal(context)
  const home = await joined(world)
  for (const line of ['daemon start', 'daemon status', 'help', 'daemon stop']) {
    const command = `stty cols 0 rows 0; exec '${process.execPath}' '${runJs}' ${line}`
    const terminal = runProgram(['script', '-qfec', command, '/dev/null'], { env: home.env })
    expect(await endsInWords(terminal, line), terminal.output).toBe(0)
  }
})

describe('a working folder that was deleted', () => {
  testVariations([
    ['daemon', 'status', '--config', './x.json'],
    ['login', '--ca', 'ca.pem'],
    ['login', '--config', '/nonexistent/x.json', '--token-file', 'token'],
    ['hub', 'token', 'list', '--data-dir', 'hub'],
    ['hub', '--tls-cert', 'cert.pem', '--tls-key', 'key.pem'],
  ])('%s %s %s %s: a path from there leads nowhere, and that is said', async (args) => {
    const home = await joined(world)
    const folder = path.join(scratchFolder(), 'gone')
    mkdirSync(folder)
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    const hub = args[0] === 'login' && args.length > 3 ? ['--hub', world.hubUrl] : []
    const command = ['sh', '-c', script, 'sh', folder, process.execPath, runJs, ...args, ...hub] as const
    const running = runProgram([...command], { env: home.env })
    expect(await running.exited).toMatchObject({ code: 2 })
    expect(running.output).toMatch(
      /^\[x\] The working folder was deleted, so \S+ leads nowhere\n {2}Give its full path/,
    )
  })

  test('does not keep a hub from running', async () => {
    const home = await joined(world)
    const folder = path.join(home.folder, 'here')
    mkdirSync(folder)
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    const args = ['hub', '--listen', '127.0.0.1:0']
    const hub = runProgram(['sh', '-c', script, 'sh', folder, process.execPath, runJs, ...args], {
      env: home.env,
    })
    await hub.printed(/Next: connect hub token create/)
    const { code, stdout } = await connect(home, ['hub', 'token', 'create'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^tok_/) })
    await hub.stop()
    expect(hub.output).toContain('Hub stopped')
  })
})

test('an empty path is refused', async () => {
  const home = await joined(world)
  const { code, stderr } = await connect(home, ['whoami', '--config', ''])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^\[x\] The path of a file is empty\n/),
  })
})
