import path from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from '../fixtures/run-fixture.ts'

const program = path.join(import.meta.dirname, '..', 'fixtures', 'programs', 'optimised.ts')

test('no function is optimised until that is allowed, and then also those that were called before', async () => {
  const child = runProgram([process.execPath, '--trace-opt', program])
  expect(await child.exited).toEqual({ code: 0, signal: null })
  const [, deferred = '', allowed = ''] = child.stdout.split(/^(?:deferred|allowed)$/m)
  expect(deferred).not.toContain('oftenCalled')
  expect(allowed).toMatch(/completed optimizing .*oftenCalled/)
})
