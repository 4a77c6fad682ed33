import { expect, onTestFinished, test, vi } from 'vitest'
import { identify, type ProcessIdentity } from '../../src/process/identity.ts'
import { terminate } from '../../src/process/terminate.ts'
import type { RunningCli } from '../helpers/cli.ts'
import { runFixture } from '../fixtures/run-fixture.ts'

async function started(child: RunningCli): Promise<ProcessIdentity> {
  await child.printed(/ready/)
  return identify(child.pid)!
}

test('a process that ends on SIGTERM is not killed', async () => {
  const child = runFixture('on-sigterm.ts', ['end'])
  expect(await terminate(await started(child), { graceMs: 30_000 })).toBe('exited')
  expect(await child.exited).toEqual({ code: 0, signal: null })
})

test('a process that ignores SIGTERM is killed after the grace period', async () => {
  const child = runFixture('on-sigterm.ts')
  expect(await terminate(await started(child), { graceMs: 200 })).toBe('killed')
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(child.stdout).toBe('ready\nSIGTERM\n')
})

test('one that has ended already is no error', async () => {
  const child = runFixture('on-sigterm.ts')
  const identity = await started(child)
  await child.stop('SIGKILL')
  expect(await terminate(identity)).toBe('exited')
})

test.for(['startTime', 'bootAndNamespace'] as const)(
  'a live process that is another one, by its %s, gets no signal',
  async (field) => {
    const child = runFixture('on-sigterm.ts')
    const identity = await started(child)
    expect(await terminate({ ...identity, [field]: 'another' }, { graceMs: 200 })).toBe('exited')
    process.kill(child.pid, 'SIGTERM')
    await child.printed(/SIGTERM/)
    expect(child.stdout).toBe('ready\nSIGTERM\n')
    expect(identify(child.pid)).toEqual(identity)
  },
)

/** Signals go nowhere but into this list, unless `send` does something with them. */
function caughtSignals(send: (signal: unknown) => void = () => {}): { signal: unknown; at: number }[] {
  const caught: { signal: unknown; at: number }[] = []
  const kill = vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    caught.push({ signal, at: performance.now() })
    send(signal)
    return true
  })
  onTestFinished(() => kill.mockRestore())
  return caught
}

/** From now on a second takes 10 ms. */
function hurry(): void {
  const now = performance.now.bind(performance)
  const begin = now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => begin + (now() - begin) * 100)
  onTestFinished(() => clock.mockRestore())
}

test('each signal has five seconds to work, unless told otherwise', async () => {
  const child = runFixture('on-sigterm.ts')
  const identity = await started(child)
  hurry()
  const caught = caughtSignals()
  const begin = performance.now()
  await expect(terminate(identity)).rejects.toMatchObject({
    code: 'DAEMON_WONT_STOP',
    message: `Process ${child.pid} is still there after SIGKILL`,
  })
  const end = performance.now()
  expect(caught.map(({ signal }) => signal)).toEqual(['SIGTERM', 'SIGKILL'])
  const [term, kill] = caught.map(({ at }) => at) as [number, number]
  expect(term - begin).toBeLessThan(5000)
  expect(kill - term).toBeGreaterThanOrEqual(5000)
  expect(end - kill).toBeGreaterThanOrEqual(5000)
})

test('it has as long as was told, and no longer', async () => {
  const identity = await started(runFixture('on-sigterm.ts'))
  const caught = caughtSignals()
  const begin = performance.now()
  await expect(terminate(identity, { graceMs: 60, killMs: 70 })).rejects.toThrow(/still there/)
  const end = performance.now()
  const [, kill] = caught.map(({ at }) => at) as [number, number]
  expect(kill - begin).toBeGreaterThanOrEqual(60)
  expect(end - kill).toBeGreaterThanOrEqual(70)
  // Without what was told it would take ten seconds.
  expect(end - begin).toBeLessThan(5000)
})

test('one that ends just before its signal has ended by itself', async () => {
  const child = runFixture('on-sigterm.ts')
  const identity = await started(child)
  const kill = process.kill.bind(process)
  caughtSignals(() => {
    kill(child.pid, 'SIGKILL')
    throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' })
  })
  expect(await terminate(identity)).toBe('exited')
})

test('one that may not be signalled is an error that says so', async () => {
  const identity = await started(runFixture('on-sigterm.ts'))
  const denied = Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  caughtSignals(() => {
    throw denied
  })
  await expect(terminate(identity)).rejects.toMatchObject({
    code: 'DAEMON_WONT_STOP',
    message: `Could not signal process ${identity.pid}: kill EPERM`,
    cause: denied,
  })
})
