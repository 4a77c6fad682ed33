import { expect, test } from 'vitest'
import { LineLimiter } from '../../src/log/line-limiter.ts'

function limited() {
  let now = 0
  const lines: string[] = []
  const limiter = new LineLimiter({ now: () => now })
  return {
    lines,
    tell: (kind: string, line: string) =>
      limiter.write(
        kind,
        (text) => lines.push(text),
        () => line,
      ),
    pass: (ms: number) => (now += ms),
  }
}

test('of a line that comes again and again one a second is written, and how many there were', () => {
  const { lines, tell, pass } = limited()
  for (let n = 0; n < 100; n++) tell('join refused', 'refused')
  pass(999)
  tell('join refused', 'refused')
  expect(lines).toEqual(['refused'])
  pass(1)
  tell('join refused', 'refused')
  pass(1000)
  tell('join refused', 'refused')
  expect(lines).toEqual(['refused', 'refused (and 100 more like this)', 'refused'])
})

test('one kind of line does not silence another', () => {
  const { lines, tell } = limited()
  tell('a', 'one')
  tell('b', 'two')
  tell('a', 'three')
  expect(lines).toEqual(['one', 'two'])
})

test('kinds that are forgotten are few, however many are named', () => {
  const { lines, tell } = limited()
  for (let n = 0; n < 1000; n++) tell(`kind ${n}`, `line ${n}`)
  tell('kind 999', 'silent')
  tell('kind 0', 'forgotten, so written')
  expect(lines).toHaveLength(1001)
})

test('a line that is left out is not made', () => {
  const limiter = new LineLimiter({ now: () => 0 })
  let made = 0
  const line = () => `line ${++made}`
  for (let n = 0; n < 10; n++) limiter.write('x', () => {}, line)
  expect(made).toBe(1)
})

test('a few of a kind may be written in that time, if that is wanted', () => {
  let now = 0
  const lines: string[] = []
  const limiter = new LineLimiter({ now: () => now, lines: 2 })
  const tell = (line: string) =>
    limiter.write(
      '',
      (text) => lines.push(text),
      () => line,
    )
  for (const line of ['one', 'two', 'three', 'four']) tell(line)
  now = 1000
  for (const line of ['five', 'six', 'seven']) tell(line)
  expect(lines).toEqual(['one', 'two', 'five (and 2 more like this)', 'six'])
})
