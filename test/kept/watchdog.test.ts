import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

const BLOCKED = { code: null, signal: 'SIGABRT' }

function watched(what: string, env: NodeJS.ProcessEnv = {}) {
  const folder = scratchFolder()
  // A core, where the system writes one, goes with the folder.
  const child = runFixture('watched.ts', [folder, what], { cwd: folder, env: { ...process.env, ...env } })
  return { child, folder, log: path.join(folder, 'daemon.log'), end: path.join(folder, 'end.json') }
}

/** proc(5): of the main thread, which starts them all. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

test.for(['busy', 'busy at once', 'wait'])(
  'a blocked event loop ends the process, which says so: %s',
  async (how) => {
    const { child, log, end } = watched(how, { TZ: 'Asia/Tokyo' })
    expect(await child.exited).toEqual(BLOCKED)
    expect(readFileSync(log, 'utf8')).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]{12}\+09:00 error \[x\] The event loop was blocked for 0\.6 s: ending, so that it can be started again\n$/,
    )
    expect(readFileSync(end, 'utf8')).toBe('{"why":"blocked"}\n')
  },
)

test('it ends although nothing can be written', async () => {
  const { child, folder } = watched('busy')
  await child.printed(/ready/)
  rmSync(folder, { recursive: true })
  expect(await child.exited).toEqual(BLOCKED)
})

test('an event loop that is slow, but comes round, is let be', async () => {
  const { child, log, end } = watched('slow')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect(child.output).toBe('ready\ndone\n')
  expect([log, end].filter(existsSync)).toEqual([])
})

test.skipIf(process.platform === 'win32')(
  'a process that was stopped for a while is not taken for a blocked one, and is watched from then on',
  async () => {
    const { child, log } = watched('idle')
    await child.printed(/ready/)
    for (let round = 0; round < 3; round++) {
      child.kill('SIGSTOP')
      // Longer than the 600 ms that it may be blocked.
      await sleep(900)
      child.kill('SIGCONT')
      await sleep(100)
    }
    // Long enough for it to be found, had it been taken for one.
    await sleep(1200)
    expect(existsSync(log)).toBe(false)
    child.kill('SIGUSR2')
    expect(await child.exited).toEqual(BLOCKED)
  },
)

test.runIf(process.platform === 'linux')('one that was killed is followed by another', async () => {
  const { child } = watched('idle')
  await child.printed(/ready/)
  const [shell] = childrenOf(child.pid)
  process.kill(shell!, 'SIGKILL')
  const others = () => childrenOf(child.pid).filter((pid) => pid !== shell)
  await vi.waitFor(() => expect(others()).toHaveLength(1), 10_000)
  child.kill('SIGUSR2')
  expect(await child.exited).toEqual(BLOCKED)
})

test.runIf(process.platform === 'linux')(
  'nothing is left of it once its process was killed, and it writes nothing',
  async () => {
    const { child, log, end } = watched('idle')
    await child.printed(/ready/)
    const [shell] = childrenOf(child.pid)
    const pids = [shell!, ...childrenOf(shell!)]
    child.kill('SIGKILL')
    await vi.waitFor(() => expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]), 10_000)
    expect([log, end].filter(existsSync)).toEqual([])
  },
)

test('after stop() nothing watches', async () => {
  const { child, log } = watched('stop')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect(child.output).toBe('ready\nstopped\ndone\n')
  expect(existsSync(log)).toBe(false)
})

test('it keeps no process alive', async () => {
  const { child } = watched('leave')
  expect(await child.exited).toEqual({ code: 0, signal: null })
})

test.skipIf(process.platform === 'win32')('a process can be asked to end in good order', async () => {
  const { child } = watched('signal')
  await child.printed(/ready/)
  child.kill('SIGTERM')
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(child.output).toBe('ready\nSIGTERM\n')
})

test('what NODE_OPTIONS loads into the agent is not loaded into the watchdog', async () => {
  const preload = path.resolve(import.meta.dirname, '../fixtures/programs/preloaded.mjs')
  const { child } = watched('stop', { NODE_OPTIONS: `--import ${preload}` })
  await child.exited
  expect(child.output).toBe('preloaded into the main thread\nready\nstopped\ndone\n')
})
