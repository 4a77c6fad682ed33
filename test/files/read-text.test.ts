import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readText } from '../../src/files/read-text.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

test('a file is read, and one that is not there is none', () => {
  const file = path.join(scratchFolder(), 'a')
  expect(readText(file)).toBeUndefined()
  writeFileSync(file, 'grün')
  expect(readText(file)).toBe('grün')
})

test.runIf(process.platform !== 'win32').for(['a FIFO that nobody writes to', 'a folder'])(
  '%s is not waited for',
  (what) => {
    const file = path.join(scratchFolder(), 'a')
    if (what === 'a folder') mkdirSync(file)
    else execFileSync('mkfifo', [file])
    expect(thrownBy(() => readText(file))).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: `${file} is not a file`,
    })
  },
)
