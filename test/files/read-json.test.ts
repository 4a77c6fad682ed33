import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
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

test.runIf(process.platform !== 'win32')(
  'what is to be run about a file that others can read is a command, whatever the file is called',
  () => {
    const file = path.join(scratchFolder(), "ada's $(touch ran).json")
    writeFileSync(file, '{}', { mode: 0o644 })
    const read = () => readJson(file, v.unknown(), { ...options, secret: true })
    const command = thrownBy(read).hints[0]!.replace('Run: ', '')
    execFileSync('sh', ['-c', command])
    expect(read()).toEqual({})
  },
)

test('a device in the place of a file is refused', () => {
  expect(thrownBy(() => readJson('/dev/zero', v.unknown(), options)).code).toBe('CONFIG_UNREADABLE')
})
