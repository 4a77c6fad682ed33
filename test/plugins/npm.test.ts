import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { npmInstall } from '../../src/plugins/npm.ts'
import { parsePluginSource } from '../../src/plugins/plugin-source.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { SlowNpm } from '../helpers/plugins/slow-npm.ts'

test('an npm that takes too long is ended with what it has started', async () => {
  const npm = new SlowNpm()
  const installing = npmInstall(
    scratchFolder(),
    parsePluginSource('some-plugin'),
    { PATH: npm.path },
    { timeoutMs: 1500 },
  )
  installing.catch(() => {})
  const pids = await npm.running()
  const [leader] = pids
  const groups = pids.map((pid) =>
    execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }),
  )
  // Ctrl-Z and questions on a terminal are for the group of whoever has started us.
  expect(groups.map(Number)).toEqual([leader, leader])
  await expect(installing).rejects.toThrow('npm did not get some-plugin within 1.5 s')
  expect(npm.living()).toEqual([])
})
