import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { killOrphans } from '../../src/process/process-group.ts'
import { spawnDetached } from '../../src/process/spawn-detached.ts'
import { terminate } from '../../src/process/terminate.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { lastLines } from '../fixtures/last-lines.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

/** A detached leader with two children; they live until they are ended. */
async function family(): Promise<{ leader: number; children: number[] }> {
  const logFile = path.join(scratchFolder(), 'family.log')
  const program = path.join(import.meta.dirname, '..', 'fixtures', 'programs', 'have-children.ts')
  const { pid } = await spawnDetached({
    command: [process.execPath, program],
    env: process.env,
    cwd: '/',
    logFile,
  })
  const children = await waitFor(
    () => {
      const line = lastLines(logFile, 1)?.[0]
      return line === undefined ? undefined : line.split(' ').map(Number)
    },
    { timeoutMs: 30_000 },
  )
  onTestFinished(() => {
    for (const member of [pid, ...children!]) if (identify(member)) process.kill(member, 'SIGKILL')
  })
  return { leader: pid, children: children! }
}

test('whoever is ended with its group leaves no children', async () => {
  const { leader, children } = await family()
  const target = identify(leader)!
  expect(children.every((pid) => identify(pid))).toBe(true)
  expect(await terminate(target, { group: true })).toBe('exited')
  expect(children.filter((pid) => identify(pid))).toEqual([])
})

test('without that, the children live on', async () => {
  const { leader, children } = await family()
  await terminate(identify(leader)!)
  expect(children.every((pid) => identify(pid))).toBe(true)
})

test('children that SIGKILL does not end are waited for as long as was told', async () => {
  const { leader, children } = await family()
  const target = identify(leader)!
  await terminate(target)
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  const begin = performance.now()
  expect(await terminate(target, { group: true, killMs: 600 })).toBe('exited')
  const took = performance.now() - begin
  const killed = kill.mock.calls.map(([pid]) => pid)
  kill.mockRestore()
  expect(took).toBeGreaterThanOrEqual(600)
  // As long as no one says how long, it is five seconds.
  expect(took).toBeLessThan(4000)
  // Asked again and again.
  expect(killed.filter((pid) => pid === children[0]).length).toBeGreaterThan(1)
  expect(new Set(killed)).toEqual(new Set(children))
})

test('a group whose leader lives is a stranger’s, and left alone', async () => {
  const { leader, children } = await family()
  expect(killOrphans(leader)).toBe(0)
  expect([leader, ...children].every((pid) => identify(pid))).toBe(true)
})

test('a process that leads no group takes nobody with it', async () => {
  const child = runFixture('on-sigterm.ts')
  await child.printed(/ready/)
  expect(killOrphans(child.pid)).toBe(0)
  expect(identify(child.pid)).toBeDefined()
})
