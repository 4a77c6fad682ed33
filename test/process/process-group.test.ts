import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { killOrphans } from '../../src/process/process-group.ts'
import { spawnDetached } from '../../src/process/spawn-detached.ts'
import { terminate } from '../../src/process/terminate.ts'
import { waitFor } from '../../src/process/wait.ts'
import { lastLines } from '../fixtures/last-lines.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

/** A detached leader with two children; they live until they are ended. */
async function family(): Promise<{ leader: number; children: number[] }> {
  const logFile = path.join(scratchFolder(), 'family.log')
  const program = path.join(import.meta.dirname, '..', 'fixtures', 'have-children.ts')
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
