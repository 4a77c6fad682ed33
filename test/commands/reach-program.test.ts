import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { needsTerminal } from '../fixtures/machine/needs-terminal.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connect, connectOk, runJs, RunningCli, startConnect, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { serveTcp, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

const fixture = (name: string) => path.join(import.meta.dirname, '..', 'fixtures', 'programs', name)
const NODE = process.execPath

let world: World
let home: Home
let sink: TestServer
/** Bytes of each connection that the service `sink` has had to its end. */
const sunk: number[] = []

beforeAll(async () => {
  world = await World.start()
  home = await world.echoMachine()
  sink = await serveTcp((socket) => {
    let bytes = 0
    // As one that is busy: it never answers, and never closes.
    socket.on('data', (chunk) => (bytes += chunk.length)).on('end', () => sunk.push(bytes))
  })
  await connectOk(home, ['expose', String(sink.port), '--name', 'sink'])
  await connectOk(home, ['expose', '1', '--name', 'dead'])
  await connectOk(home, ['daemon', 'start'])
  await connectOk(home, ['daemon', 'status', '--wait', '30s'])
})

afterAll(async () => {
  await world.stop()
  await sink.close()
})

const reach = (program: readonly string[], options: { env?: NodeJS.ProcessEnv; name?: string } = {}) =>
  connect(home, ['reach', options.name ?? 'echo', '--', ...program], options)

/** Runs it by a shell, where `$connect` is this program. */
function bash(script: string): Promise<CliResult> {
  const env = { ...home.env, connect: `${NODE} ${runJs}` }
  const running = runProgram(['bash', '-c', script], { cwd: home.folder, env, detached: true })
  return running.exited.then((exit) => ({ ...exit, stdout: running.stdout, stderr: running.stderr }))
}

test('a program behind -- gets its arguments as they are, the place of the service, and no token', async () => {
  const args = [
    '--',
    '--json',
    '-h',
    '--port',
    'same',
    'a b',
    '',
    'same',
    `it's "q" \\ $HOME *`,
    'a\nb',
    'ünï 家',
    '{port',
    '{{port}}',
  ]
  const env = { PRIVATECONNECT_TOKEN: 'tok_secret', CONNECT_PORT: 'another' }
  const { code, stdout, stderr } = await reach(
    [NODE, fixture('tell-start.mjs'), ...args, 'db://{host}:{port}/{port}'],
    { env },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const told = JSON.parse(stdout) as { args: string[]; env: Record<string, string> }
  const port = told.env.CONNECT_PORT!
  expect(port).toMatch(/^\d+$/)
  expect(told).toEqual({
    args: [...args.slice(0, -1), `{${port}}`, `db://127.0.0.1:${port}/${port}`],
    env: { CONNECT_HOST: '127.0.0.1', CONNECT_PORT: port },
  })
})

test('a program reaches the service, reads our stdin, and its exit code is ours', async () => {
  const script =
    'exec 3<>"/dev/tcp/{host}/{port}"; echo "hi" >&3; read answer <&3; read own; echo "$answer $own"; exit 7'
  const args = ['reach', 'echo', '--bind', '0.0.0.0', '--', 'bash', '-c', script]
  expect(await connect(home, args, { input: 'typed\n' })).toMatchObject({
    code: 7,
    stdout: 'hi typed\n',
    stderr: '',
  })
})

test('what a program has sent arrives, though it ends at once and the service never closes', async () => {
  const script = 'head -c 6000000 /dev/zero >"/dev/tcp/$CONNECT_HOST/$CONNECT_PORT"'
  const { code, stderr } = await reach(['bash', '-c', script], { name: 'sink' })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await expect.poll(() => sunk, { timeout: 30_000 }).toContain(6_000_000)
})

test('a program that is none exits 127, one that can’t be run 126, as in a shell', async () => {
  const script = path.join(home.folder, 'script')
  writeFileSync(script, '')
  expect(await reach(['no-such-program'])).toMatchObject({
    code: 127,
    stdout: '',
    stderr: expect.stringMatching(/^\[x\] There is no program "no-such-program"\n {2}\S/),
  })
  expect(await reach([''])).toMatchObject({ code: 127 })
  expect(await reach([script])).toMatchObject({
    code: 126,
    stdout: '',
    stderr: expect.stringContaining('can’t be run: it is not executable\n'),
  })
})

describe('signals', () => {
  test('pass on to the program, whose end is ours', async () => {
    const running = startConnect(home, ['reach', 'echo', '--', NODE, fixture('count-signals.mjs')])
    await running.printed(/ready/)
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT'] as const) {
      running.kill(signal)
      await running.printed(new RegExp(`${signal} ${running.stdout.includes(signal) ? 2 : 1}`))
    }
    running.kill('SIGTERM')
    expect(await running.exited).toEqual({ code: 3, signal: null })
    expect(running.stderr).toBe('')
  })

  test('that end the program give 128 and their number', async () => {
    expect(await reach(['sh', '-c', 'kill -KILL $$'])).toMatchObject({ code: 137, stdout: '', stderr: '' })
    const running = startConnect(home, ['reach', 'echo', '--', 'sh', '-c', 'echo ready; exec sleep 60'])
    await running.printed(/ready/)
    running.kill('SIGTERM')
    expect(await running.exited).toEqual({ code: 143, signal: null })
  })

  test('of a terminal’s keys come once', async (context) => {
    needsTerminal(context)
    const command = `exec '${NODE}' '${runJs}' reach echo -- '${NODE}' '${fixture('count-signals.mjs')}'`
    const child = spawn('script', ['-qfec', command, '/dev/null'], { env: home.env })
    const terminal = new RunningCli(child, 'at a terminal')
    onTestFinished(() => terminal.stop('SIGKILL'))
    await terminal.printed(/ready/)
    child.stdin.write('\u0003')
    await terminal.printed(/SIGINT 1/)
    child.stdin.write('\u0003')
    await terminal.printed(/SIGINT 2/)
    child.stdin.write('\u001c')
    expect(await terminal.exited).toMatchObject({ code: 131 })
    expect(terminal.stdout).not.toContain('SIGINT 3')
  })
})

test('pipes that a program shares with us stay as they are while we say something', async () => {
  // proc(5): O_NONBLOCK is 04000, and would have the program's writes fail.
  const said = home.file('said')
  const script = `exec 3<>"/dev/tcp/{host}/{port}"; read -t 20 <&3; until [ -e ${said} ]; do sleep 0.05; done
grep -h flags /proc/self/fdinfo/[012]`
  const running = startConnect(home, ['reach', 'dead', '--', 'bash', '-c', script])
  await running.printed(/^\[[\d:]+\] \[x\] Connection \w+ failed.*\n/m)
  writeFileSync(said, '')
  expect((await running.exited).code).toBe(0)
  const { stdout } = running
  const flags = [...stdout.matchAll(/flags:\s*(\d+)/g)].map(([, text]) => Number.parseInt(text!, 8) & 0o4000)
  expect(flags).toEqual([0, 0, 0])
})

test('a program reads what a shell gives it by a descriptor', async () => {
  const { stdout, stderr } = await bash(
    'exec 5< <(echo five); $connect reach echo -- cat <(echo high) /dev/fd/5',
  )
  expect({ stdout, stderr }).toEqual({ stdout: 'high\nfive\n', stderr: '' })
})

test.runIf(process.platform === 'linux')('an argument that Node.js would change is refused', async () => {
  const { code, stdout, stderr } = await bash(`$connect reach echo -- echo $'caf\\xe9'`)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^\[x\] An argument is not UTF-8/)
  expect(await reach(['echo', '\u{fffd}'])).toMatchObject({ code: 0, stdout: '\u{fffd}\n' })
})

test('an option that does not go with a program exits 2', async () => {
  const { code, stdout, stderr } = await connect(home, ['reach', 'echo', '--keep', '--', 'true'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^\[x\] --keep and a program behind -- can’t be used together\n {2}/)
})
