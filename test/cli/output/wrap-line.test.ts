import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wrapLine } from '../../../src/cli/output/wrap-line.ts'

const LONG = '    Kept alive as: a background process: not restarted after a crash, gone after a reboot'

describe('a line that is too long for the terminal', () => {
  test('is broken between words, with its indent kept', () => {
    expect(wrapLine(LONG, 80)).toBe(
      '    Kept alive as: a background process: not restarted after a crash, gone\n      after a reboot',
    )
  })

  test('keeps a command whole that can be copied', () => {
    const warning = '[!] It starts only when you log in. To have it start on boot, run: '
    expect(wrapLine(`${warning}sudo loginctl enable-linger "$USER"`, 80)).toBe(
      `${warning.trimEnd()}\n  sudo loginctl enable-linger "$USER"`,
    )
  })

  test.for([undefined, 0, 10, 200])(
    'stays whole where there is room, or no terminal: %s columns',
    (columns) => {
      expect(wrapLine(LONG, columns)).toBe(LONG)
    },
  )
})

test('no word is lost or broken, and no line is too long that can be broken', () => {
  const word = fc.stringMatching(/^[a-z:,.]{1,30}$/)
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1 }),
      fc.nat(6),
      fc.integer({ min: 40, max: 200 }),
      (words, deep, columns) => {
        const wrapped = wrapLine(' '.repeat(deep) + words.join(' '), columns)
        expect(wrapped.trim().split(/\s+/)).toEqual(words)
        expect(Math.max(...wrapped.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(columns)
      },
    ),
  )
})
