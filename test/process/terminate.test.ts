import { expect, test } from 'vitest'
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

test.for(['startTime', 'world'] as const)(
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
