import { spawnSync } from 'node:child_process'
import path from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { readJson } from '../../src/files/read-json.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const options = { version: 1, damaged: 'SERVICES_DAMAGED' } as const

test.runIf(process.platform !== 'win32')('a pipe in the place of a file is refused, not waited for', () => {
  const file = path.join(scratchFolder(), 'file')
  expect(spawnSync('mkfifo', [file]).status).toBe(0)
  expect(thrownBy(() => readJson(file, v.unknown(), options)).message).toBe(`${file} is not a file`)
})

test('a device in the place of a file is refused', () => {
  expect(thrownBy(() => readJson('/dev/zero', v.unknown(), options)).code).toBe('CONFIG_UNREADABLE')
})
