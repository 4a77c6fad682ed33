import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canMount } from '../fixtures/machine/small-disk.ts'
import { connectWithoutRoot, needsPlainUser } from '../fixtures/machine/without-root.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { differences, snapshot } from '../fixtures/snapshot.ts'
import { connect, connectOk, runJs, type CliOptions, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

const env = { CONNECT_PLATFORM: 'background' }

/** Whatever hangs. */
const LONGEST_MS = 15_000

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

interface Seen {
  readonly name: string
  readonly state: string
  readonly seen: string
  readonly fix: string | null
  readonly mended: string | null
  readonly unmended: string | null
}

interface Diagnosis {
  readonly ok: boolean
  readonly of: Readonly<Record<string, Seen>>
}

/** Runs it, in time. */
async function diagnose(
  home: Home,
  args: readonly string[] = [],
  options: CliOptions = {},
  runs: (home: Home, args: readonly string[], options: CliOptions) => Promise<CliResult> = connect,
): Promise<Diagnosis> {
  const begun = performance.now()
  const result = await runs(home, ['doctor', '--json', ...args], {
    ...options,
    env: { ...env, ...options.env },
  })
  expect(performance.now() - begun).toBeLessThan(LONGEST_MS)
  return diagnosisOf(result)
}

function diagnosisOf({ code, stdout, stderr }: CliResult): Diagnosis {
  expect(stderr).not.toMatch(/^ +at |node:internal/m)
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Seen[] }
  expect(code).toBe(ok ? 0 : 1)
  for (const one of checks) {
    expect(one.seen, one.name).not.toMatch(/undefined|This check itself failed/)
    if (['warning', 'failed'].includes(one.state)) expect(one.fix, one.name).toBeTruthy()
  }
  return { ok, of: Object.fromEntries(checks.map((one) => [one.name, one])) }
}

test('a daemon that runs is told as well; the lines say what the JSON does, and the exit code is 0', async () => {
  const home = await joined(world, 'well')
  await connectOk(home, ['daemon', 'start'], { env })
  const { ok, of } = await diagnose(home)
  expect(ok).toBe(true)
  for (const name of ['config', 'owners', 'modes', 'leftovers', 'home', 'running', 'answers', 'program'])
    expect(of[name], name).toMatchObject({ state: 'ok' })
  const lines = await connectOk(home, ['doctor'], { env })
  expect(lines).toMatch(/^Files\n {2}\[ok\] Configuration: Logged in to http:\S+ as well\n/)
  expect(lines).toMatch(/\n\nDaemon\n/)
  expect(lines).toMatch(/\n {2}\[-\] Outlives the login: It is no service of systemd\n/)
  expect(lines).toMatch(/\n\d+ ok, \d+ warnings?, 0 failed(, \d+ unknown)?(, \d+ skipped)?\n$/)
})

test('a machine that knows nothing, and one without a home folder', async () => {
  const home = emptyHome()
  expect(await diagnose(home)).toMatchObject({
    ok: true,
    of: {
      config: { state: 'warning', fix: 'With an invite to a hub, run: connect login' },
      running: { state: 'skipped' },
    },
  })
  expect(existsSync(home.file('config.json'))).toBe(false)
  const homeless = await diagnose(home, [], { env: { HOME: '/nonexistent' } })
  expect(homeless).toMatchObject({ ok: false, of: { home: { state: 'failed' } } })
})

test('a damaged config is told, and all the rest is looked at', async () => {
  const home = await joined(world, 'damaged')
  await connectOk(home, ['daemon', 'start'], { env })
  writeFileSync(home.file('config.json'), '{')
  expect(await diagnose(home)).toMatchObject({
    ok: false,
    of: {
      config: { state: 'failed', seen: expect.stringContaining('is not valid JSON') },
      running: { state: 'ok' },
      answers: { state: 'ok' },
      descriptors: { state: 'ok' },
    },
  })
})

test('a crash and a connection that broke are found in the log as the agent writes it', async () => {
  const home = await joined(world, 'crashed')
  const start = async () =>
    (JSON.parse(await connectOk(home, ['daemon', 'start', '--json'], { env })) as { pid: number }).pid
  process.kill(await start(), 'SIGKILL')
  await expect.poll(() => connectOk(home, ['daemon', 'status'], { env })).toContain('Status: stopped')
  await start()
  await world.hub.stop()
  await expect
    .poll(() => connectOk(home, ['daemon', 'status'], { env }), { timeout: 30_000 })
    .not.toContain('Connection: connected')
  await world.restartHub()
  await connectOk(home, ['daemon', 'status', '--wait', '60s'], { env })
  await connectOk(home, ['daemon', 'restart'], { env })
  expect(await diagnose(home)).toMatchObject({
    ok: true,
    of: {
      'crash-loop': { state: 'warning', seen: expect.stringContaining('It ended once in the last hour') },
      'reconnect-loop': {
        seen: expect.stringMatching(/^Once in the last hour, with \d+ tr(y|ies) to connect/),
      },
    },
  })
})

test('without --fix nothing is written, and with it all is mended: a second run says so', async () => {
  const home = await joined(world, 'mended')
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'], { env })) as { pid: number }
  process.kill(pid, 'SIGKILL')
  const left = `${home.file('config.json')}.${goneProcess()}.0123abcd.tmp`
  writeFileSync(left, '', { mode: 0o666 })
  spawnSync('touch', ['-d', '2 hours ago', left])
  chmodSync(home.file('.'), 0o750)
  const before = snapshot(home.folder)
  const found = await diagnose(home)
  expect(found).toMatchObject({
    ok: false,
    of: { modes: { state: 'failed' }, leftovers: { state: 'warning' } },
  })
  expect(differences(before, snapshot(home.folder))).toEqual([])
  const { code, stdout, stderr } = await connect(home, ['doctor', '--fix'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/\n {2}\[ok\] Modes of our files: .*\n {6}Mended: \d modes? (was|were) set\n/)
  expect(stdout).toMatch(/\n {2}\[ok\] What was left over: Nothing\n {6}Mended: removed .*\n/)
  expect(await diagnose(home)).toMatchObject({
    ok: true,
    of: { modes: { state: 'ok', mended: null }, leftovers: { state: 'ok' } },
  })
  expect(existsSync(left)).toBe(false)
  expect(statSync(home.file('.')).mode & 0o777).toBe(0o700)
})

function goneProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

test('a folder that is closed even to its own user is opened, and what lies in it is then seen', async (context) => {
  needsPlainUser(context)
  const home = await joined(world, 'closed')
  chmodSync(home.file('config.json'), 0o644)
  chmodSync(home.file('.'), 0)
  const closed = await diagnose(home, [], {}, connectWithoutRoot)
  expect(closed).toMatchObject({
    ok: false,
    of: { modes: { state: 'failed' }, config: { state: 'skipped' } },
  })
  expect(await diagnose(home, ['--fix'], {}, connectWithoutRoot)).toMatchObject({
    ok: true,
    of: { modes: { state: 'ok', mended: expect.any(String) }, config: { state: 'ok' } },
  })
})

describe('whatever hangs, it is through within 15 seconds:', () => {
  test('an agent that does not answer', async () => {
    const home = await joined(world, 'hung')
    const { pid } = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'], { env })) as {
      pid: number
    }
    process.kill(pid, 'SIGSTOP')
    expect(await diagnose(home)).toMatchObject({
      ok: false,
      of: {
        answers: { state: 'failed', seen: 'No: the agent does not answer on its socket' },
        running: { state: 'ok' },
      },
    })
  })

  test.runIf(process.platform === 'linux')('a service manager that does not', async () => {
    const home = await joined(world, 'manager')
    const { of } = await diagnose(home, [], { env: withSystemd(home, 'exec sleep 600') })
    expect(of).toMatchObject({
      lingering: { state: 'unknown' },
      running: { state: 'unknown' },
      config: { state: 'ok' },
      'service-file': { state: 'unknown', seen: 'No answer within 9 s' },
    })
  })
})

test.for([
  ['hangs', /^Plugin plugin-platform failed: /],
  ['childHangs', /^Plugin plugin-platform failed, with its platform testinit: it gave no answer within 5 s$/],
  ['loadFails', /no such library/],
  ['throws', /testinit is not there/],
] as const)(
  'a plugin that %s is a finding, and all the rest is looked at in time',
  async ([answer, seen]) => {
    const home = emptyHome('plugged')
    const plugin = path.join(import.meta.dirname, '..', 'fixtures', 'plugin-platform')
    await connectOk(home, ['plugins', 'link', plugin])
    const { of } = await diagnose(home, [], { env: { CONNECT_PLATFORM: '', PLUGIN_PLATFORM_ANSWER: answer } })
    expect(of['service-manager']).toMatchObject({
      state: expect.stringMatching(/^(warning|failed)$/),
      seen: expect.stringMatching(seen),
    })
    expect(of['disk-space']).toMatchObject({ state: 'ok' })
  },
)

test.runIf(process.platform === 'linux')(
  'what could not be mended is told once, with the reason',
  async () => {
    const home = await joined(world, 'refused')
    const script =
      'case "$*" in *enable-linger*) echo Denied >&2; exit 1;; *Linger*) echo no;; *) exit 1;; esac'
    const systemd = withSystemd(home, script)
    const { stdout } = await connect(home, ['doctor', '--fix'], { env: systemd })
    expect(stdout).toMatch(
      /\n {2}\[!\] Outlives the login: Lingering is off: .*\n {6}Could not be mended: loginctl enable-linger .*Denied.*\n {6}Run: sudo loginctl /,
    )
    const { of } = await diagnose(home, ['--fix'], { env: systemd })
    expect(of.lingering).toMatchObject({ mended: null, unmended: expect.stringContaining('Denied') })
  },
)

/** Something that seems installed, with programs that do as told in the place of systemd's own. */
function withSystemd(home: Home, script: string): NodeJS.ProcessEnv {
  const bin = path.join(home.folder, 'bin')
  mkdirSync(bin)
  for (const name of ['systemctl', 'loginctl'])
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const units = path.join(home.folder, '.config/systemd/user')
  mkdirSync(units, { recursive: true })
  writeFileSync(path.join(units, 'private-connect.service'), '[Service]\nExecStart="/x" "up"\n')
  const runtime = path.join(home.folder, 'run')
  mkdirSync(path.join(runtime, 'systemd'), { recursive: true })
  writeFileSync(path.join(runtime, 'systemd/private'), '')
  return { CONNECT_PLATFORM: '', PATH: `${bin}:${process.env.PATH}`, XDG_RUNTIME_DIR: runtime }
}

test('a disk that is full, or has little left, or can’t be written', async (context) => {
  const mount = canMount(context)
  const home = await joined(world, 'full')
  const onDisk = async (size: string, then: string) => {
    // What is mounted there is seen by this process, and by no other.
    const script = `mount -t tmpfs -o size=${size},mode=700 none "$HOME/.privateconnect" && ${then}; exec "$@"`
    const [unshare, ...words] = mount
    const command = ['sh', '-c', script, 'sh', process.execPath, runJs, 'doctor', '--json']
    const { status, stdout, stderr } = spawnSync(unshare, [...words, ...command], {
      env: { ...home.env, ...env },
      encoding: 'utf8',
    })
    return diagnosisOf({ code: status, signal: null, stdout, stderr }).of['disk-space']
  }
  const fill = 'head -c 2m /dev/zero > "$HOME/.privateconnect/all" 2>/dev/null'
  expect(await onDisk('1m', fill)).toMatchObject({
    state: 'failed',
    seen: '0 MB are free where ~/.privateconnect lies',
    fix: expect.stringContaining('df -h ~/.privateconnect'),
  })
  expect(await onDisk('20m', ':')).toMatchObject({ state: 'warning' })
  expect(await onDisk('200m', 'mount -o remount,ro "$HOME/.privateconnect"')).toMatchObject({
    state: 'failed',
    seen: '~/.privateconnect lies on a disk that is mounted read-only',
  })
})

test('with sudo nothing is mended: it would be root’s', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can be as with sudo')
  const { code, stderr } = await connect(emptyHome(), ['doctor', '--fix'], {
    env: { ...env, SUDO_USER: 'ada' },
  })
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('connect doctor --fix') })
})
