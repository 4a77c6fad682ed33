import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { findProcess } from '../../src/control/find-process.ts'
import { identify } from '../../src/process/identity.ts'
import { joined } from '../fixtures/joined.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connectOk, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher, type Launcher } from '../lab/helpers/launcher.ts'

const isLinux = process.platform === 'linux'

let world: World
let launcher: Launcher

beforeAll(async () => {
  launcher = makeLauncher()
  world = await World.start()
})

afterAll(async () => {
  await world.stop()
  launcher.remove()
})

/** Runs a script as one of a user's would run; its end means that nobody holds its output any more. */
async function script(home: Home, text: string, env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  mkdirSync(home.folder, { recursive: true })
  const running = runProgram(['bash', '-c', text], {
    cwd: home.folder,
    env: { ...home.env, CONNECT_PLATFORM: 'background', PATH: launcher.path, ...env },
    detached: true,
  })
  const timer = setTimeout(() => running.kill('SIGKILL'), 60_000)
  const exit = await running.exited
  clearTimeout(timer)
  return { ...exit, stdout: running.stdout, stderr: running.stderr }
}

/** The daemon's process id, once it is sure that it runs and is connected. */
async function runningPid(home: Home): Promise<number> {
  const found = await findProcess(instanceFor(undefined, home.folder))
  if (found.state !== 'running') throw new Error(`the agent is ${found.state}`)
  expect(await connectOk(home, ['daemon', 'status', '--wait', '30s'])).toContain('Connection: connected')
  return found.agent.pid
}

/** What it holds open that is not its own: it should hold its log, its lock, and /dev/null. */
function foreignDescriptors(pid: number, home: Home): string[] {
  const own = new Set([
    '/dev/null',
    ...['daemon.log', 'agent.lock', 'agent.lock-journal'].map((name) => home.file(name)),
  ])
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      // It has been closed meanwhile.
      return []
    }
  })
  return links.filter((link) => {
    if (own.has(link) || /^(anon_inode|socket):/.test(link)) return false
    // A pipe of its own has both its ends here.
    return !link.startsWith('pipe:') || links.filter((other) => other === link).length < 2
  })
}

/** proc(5): the session, and the controlling terminal or 0. */
function sessionOf(pid: number): { session: number; terminal: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [, , , session, terminal] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  return { session: session!, terminal: terminal! }
}

function isFreeOf(pid: number, home: Home): void {
  if (!isLinux) return
  expect(foreignDescriptors(pid, home)).toEqual([])
  expect(sessionOf(pid)).toEqual({ session: pid, terminal: 0 })
}

const STARTED = /\[ok\] Daemon started \(PID: \d+\)\n/

describe('daemon start ends, tells the truth, and leaves a daemon that holds nothing of its caller’s:', () => {
  testVariations([
    ['into a pipe', 'set -o pipefail; connect daemon start | cat', STARTED],
    ['into a variable', 'said=$(connect daemon start) && echo "$said"', STARTED],
    ['into a file', 'connect daemon start > said && cat said', STARTED],
    ['with stdin closed', 'connect daemon start <&-', STARTED],
    ['with stdout closed', 'connect daemon start >&-', /^$/],
    ['with stderr closed', 'connect daemon start 2>&-', STARTED],
    ['with everything closed', 'connect daemon start <&- >&- 2>&-', /^$/],
    ['below nohup', 'nohup connect daemon start', STARTED],
    ['as a job in the background', 'connect daemon start & wait $!', STARTED],
    [
      'below a shell that has files open',
      'exec 7>seven 8< <(sleep 60); connect daemon start; kill $!',
      STARTED,
    ],
    ['below a script that holds a lock', 'exec 200>lock; connect daemon start', STARTED],
  ] as const)('%s', async ([name, text, said]) => {
    const home = await joined(world, name.replaceAll(' ', '-'))
    const { code, stdout, stderr } = await script(home, text)
    expect({ code, stderr: stderr.replace(/^nohup: .*\n/, '') }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(said)
    isFreeOf(await runningPid(home), home)
  })

  test.for([
    ['below setsid', 'setsid --wait connect daemon start'],
    ['below timeout', 'timeout 20 connect daemon start'],
    ['as cron does', 'env -i HOME="$HOME" PATH="$PATH" connect daemon start'],
  ] as const)('%s', { tags: ['variation'] }, async ([name, text], context) => {
    context.skip(!isLinux, 'coreutils and util-linux')
    const home = await joined(world, name.replaceAll(' ', '-'))
    expect(await script(home, text)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(STARTED),
      stderr: '',
    })
    isFreeOf(await runningPid(home), home)
  })

  test('and a failure is told in all of these ways, too', async () => {
    const home = world.emptyMachine()
    for (const text of ['connect daemon start <&-', 'connect daemon start >&-', 'nohup connect daemon start'])
      expect(await script(home, text), text).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('[x] Agent not configured\n'),
      })
    expect(await script(home, 'set -o pipefail; connect daemon start | cat')).toMatchObject({ code: 1 })
    expect(await script(home, 'connect daemon start <&- >&- 2>&-')).toMatchObject({ code: 1 })
  })
})

describe('restart, status and stop end in such places too:', () => {
  test('with everything closed, and into pipes', async () => {
    const home = await joined(world, 'others')
    await script(home, 'connect daemon start')
    const before = await runningPid(home)
    expect(await script(home, 'connect daemon restart <&- >&- 2>&-')).toMatchObject({ code: 0 })
    const after = await runningPid(home)
    expect(after).not.toBe(before)
    isFreeOf(after, home)
    expect((await script(home, 'connect daemon status | grep Status')).stdout).toContain('● Status: running')
    expect((await script(home, 'connect daemon stop 2>&1 | cat')).stdout).toBe('[ok] Daemon stopped\n')
  })
})

describe('the daemon outlives the step of a build that has started it:', () => {
  test('its process group is killed', async () => {
    const home = await joined(world, 'group')
    const step = runProgram(['bash', '-c', 'connect daemon start; exec sleep 600'], {
      env: { ...home.env, CONNECT_PLATFORM: 'background', PATH: launcher.path },
      detached: true,
    })
    await step.printed(STARTED)
    process.kill(-step.pid, 'SIGKILL')
    await step.exited
    isFreeOf(await runningPid(home), home)
  })

  testVariations([
    ['RUNNER_TRACKING_ID', 'github_8c5b1d1e-0000'],
    ['JENKINS_NODE_COOKIE', 'durable-0123456789'],
    ['JENKINS_SERVER_COOKIE', 'durable-abcdef'],
  ] as const)('every process with its %s is killed', async ([name, value], context) => {
    context.skip(!isLinux, 'looks into /proc')
    const home = await joined(world, name.toLowerCase())
    const mark = `${value}-${process.pid}`
    const step = runProgram(['bash', '-c', 'connect daemon start; exec sleep 600'], {
      env: { ...home.env, CONNECT_PLATFORM: 'background', PATH: launcher.path, [name]: mark },
    })
    await step.printed(STARTED)
    const marked = processesWith(`${name}=${mark}`)
    expect(marked).toContain(step.pid)
    for (const pid of marked) process.kill(pid, 'SIGKILL')
    await step.exited
    const pid = await runningPid(home)
    expect(identify(pid)).toBeDefined()
  })
})

/** Those whose environment holds a line, as a build server looks for what a job has left. */
function processesWith(line: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(path.join('/proc', pid, 'environ'), 'latin1')
          .split('\0')
          .includes(line)
      } catch {
        // It has ended meanwhile, or is another user's.
        return false
      }
    })
    .map(Number)
}
