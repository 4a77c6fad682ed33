import { afterEach, describe, expect, test } from 'vitest'
import { displayLine, formatLine } from '../../src/log/line.ts'
import { terminalLog } from '../../src/log/log.ts'

const { TZ } = process.env

afterEach(() => {
  if (TZ === undefined) delete process.env.TZ
  else process.env.TZ = TZ
})

describe('a line on disk', () => {
  test.for([
    ['UTC', '2026-01-02T03:04:05.006+00:00'],
    ['America/St_Johns', '2026-01-01T23:34:05.006-03:30'],
    ['Asia/Kathmandu', '2026-01-02T08:49:05.006+05:45'],
  ] as const)('has the full local time of %s', ([zone, time]) => {
    process.env.TZ = zone
    expect(formatLine(new Date('2026-01-02T03:04:05.006Z'), 'info', 'hello')).toBe(`${time} info  hello`)
  })

  test('is one line, whatever a stranger put into it', () => {
    const line = formatLine(new Date(), 'error', 'a\nb\r\u001b[2Jc\u2028d')
    expect(line).toMatch(/ error a\\u\{a\}b\\u\{d\}\\u\{1b\}\[2Jc\\u\{2028\}d$/)
  })
})

describe('a line as it is shown', () => {
  test.for([
    ['info', '[ok] Connected'],
    ['warn', '[!] Careful'],
    ['error', '  Run: connect up'],
    ['error', '[x] Failed:  two blanks, a [bracket] and 2026-01-02T03:04:05.006+00:00 info x'],
  ] as const)('has the time of day before what %s says', ([level, text]) => {
    const time = new Date()
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
      .map((part) => String(part).padStart(2, '0'))
      .join(':')
    expect(displayLine(formatLine(time, level, text))).toBe(`[${clock}] ${text}`)
  })

  test('is left as it is if it is not ours, as a crash report is', () => {
    expect(displayLine('    at main (file.js:1:2)')).toBe('    at main (file.js:1:2)')
    expect(displayLine('')).toBe('')
  })

  test('is cut if nobody could read it', () => {
    const zeros = '\0'.repeat(1024 * 1024)
    for (const line of [zeros, formatLine(new Date(), 'info', 'x'.repeat(1024 * 1024))]) {
      const shown = displayLine(line)
      expect(shown.length).toBeLessThan(60_000)
      expect(shown).toMatch(/… \(1038576 more characters\)$/)
    }
  })

  test.for(['crash \u001b[2J report\u0007', '2026-01-02T03:04:05.006+00:00 info  written by \u001b[2J hand'])(
    'never reaches the terminal with control characters',
    (line) => {
      expect(displayLine(line)).not.toMatch(/\p{Cc}/u)
    },
  )
})

test('the terminal sees the time of day, and no control characters', () => {
  const lines: string[] = []
  terminalLog((line) => lines.push(line))('a\u001b[31mb', 'error')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\] a\\u\{1b\}\[31mb$/)
})
