import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { defaultLabel } from '../../src/config/label.ts'
import { printable } from '../../src/text/printable.ts'

test('a machine is called by its short host name', () => {
  expect(defaultLabel()).toBe(hostname().split('.')[0] || 'unnamed')
})

test.for([
  ['plain text', 'Ada’s MacBook 💻 ünï', 'Ada’s MacBook 💻 ünï'],
  ['an escape sequence', '\u001b[31mred', String.raw`\u{1b}[31mred`],
  ['line breaks', 'a\r\nb\u2028c\u2029d', String.raw`a\u{d}\u{a}b\u{2028}c\u{2029}d`],
  ['a bell, a backspace and a NUL', '\u0007\b\0', String.raw`\u{7}\u{8}\u{0}`],
  ['C1 control characters', '\u009b31m', String.raw`\u{9b}31m`],
  ['text that runs backwards', '\u202eexe.txt', String.raw`\u{202e}exe.txt`],
  ['invisible characters', 'a\u200bb\ufeff', String.raw`a\u{200b}b\u{feff}`],
  ['a tag character beyond the BMP', '\u{e0041}', String.raw`\u{e0041}`],
] as const)('a label with %s is safe to print', ([, label, shown]) => {
  expect(printable(label)).toBe(shown)
})
