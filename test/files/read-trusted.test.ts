import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readTrusted } from '../../src/files/read-trusted.ts'
import { readText } from '../../src/files/read-text.ts'

test.runIf(existsSync('/dev/zero'))('what may be a pipe is not read for ever', () => {
  expect(() => readTrusted('/dev/zero', { pipe: true })).toThrow('it is far too large')
})

// The kernel says of it that it is a file of 0 bytes.
test.runIf(existsSync('/proc/self/status'))(
  'a file is read to its end, whatever size it is said to have',
  () => {
    expect(readText('/proc/self/status')).toContain('Pid:')
  },
)
