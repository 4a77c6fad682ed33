import { globSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { copyPlugin } from './helpers/plugin-copy.ts'
import { run } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

const LIMIT_MS = 600_000

const { NODE_OPTIONS: _, ...env } = process.env

labSuite('the plugins', { programs: ['runsvdir', 'sv', 's6-svscan', 's6-svc'] }, () => {
  const own = ownedBySuite()

  test.for(['runit', 's6'])('%s has the types that are published', async (name) => {
    const folder = copyPlugin(own, name)
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = '--allowJs --checkJs --noEmit --strict --module nodenext --types node'.split(' ')
    const args = [tsc, ...options, ...globSync('*.js', { cwd: folder })]
    const result = await run(process.execPath, args, { cwd: folder, env: process.env })
    expect(result).toMatchObject({ stdout: '', stderr: '', code: 0 })
  })

  // Each with a service manager of its own: most of it is waiting.
  test.concurrent.for([
    ['runit', 'agent'],
    ['runit', 'hub'],
    ['s6', 'agent'],
    ['s6', 'hub'],
  ] as const)(
    '%s passes the conformance suite with the real program, kind %s, in the test that is beside it',
    { timeout: LIMIT_MS },
    async ([name, kind]) => {
      const args = ['--test', '--test-reporter=tap', `--test-name-pattern=^${kind}: `]
      const options = { cwd: copyPlugin(own, name), env, timeoutMs: LIMIT_MS - 10_000 }
      const { code, stdout } = await run(process.execPath, args, options)
      const failed = stdout.split('\n').filter((line) => line.startsWith('not ok'))
      expect(failed, stdout).toEqual([])
      expect(stdout).toMatch(/^# pass 2\d$/m)
      expect(code).toBe(0)
    },
  )
})
