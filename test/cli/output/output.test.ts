import { expect, test } from 'vitest'
import { Output } from '../../../src/cli/output/output.ts'
import type { Sink } from '../../../src/cli/output/sink.ts'
import { until } from '../../helpers/until.ts'

/** A sink that takes only so much, or fails. */
class Cup implements Sink {
  text = ''
  room = Number.POSITIVE_INFINITY
  failure: Error | undefined
  readonly pending = 0
  readonly isStuck = false

  put(bytes: Buffer): number {
    if (this.room > 0) {
      const taken = Math.min(this.room, bytes.length)
      this.text += bytes.toString('utf8', 0, taken)
      this.room -= taken
      return taken
    }
    if (this.failure) throw this.failure
    return 0
  }
}

const FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

test('what nobody reads waits, and comes in order once there is room, though nothing more is written', async () => {
  const cup = new Cup()
  cup.room = 7
  const output = new Output(cup)
  for (const line of ['first', 'second', 'third']) output.write(line)
  expect(cup.text).toBe('first\ns')
  cup.room = Number.POSITIVE_INFINITY
  await until(() => cup.text.endsWith('third\n'), { timeoutMs: 10_000 })
  expect(cup.text).toBe('first\nsecond\nthird\n')
})

test('what would wait without bound is dropped, and how many lines that were is said where they are missing', async () => {
  const cup = new Cup()
  cup.room = 0
  const output = new Output(cup, { queueBytes: 8 })
  for (const line of ['one', 'two', 'three', '4', 'five']) output.write(line)
  cup.room = Number.POSITIVE_INFINITY
  output.write('six')
  expect(await output.flush(1000)).toBe(true)
  expect(cup.text).toBe('one\ntwo\n[!] 3 lines are missing here: nobody was reading\nsix\n')
})

test('a write that fails costs lines, which is said once one succeeds; a line that broke off is ended', async () => {
  const cup = new Cup()
  const output = new Output(cup)
  output.write('before')
  cup.room = 3
  cup.failure = FULL
  for (const line of ['broken', 'lost', 'lost as well']) output.write(line)
  cup.room = Number.POSITIVE_INFINITY
  output.write('after')
  expect(cup.text).toBe(
    'before\nbro\n[!] 3 lines are missing here: ENOSPC: no space left on device, write\nafter\n',
  )
})

test('how many are missing counts those whose own notice could not be written', () => {
  const cup = new Cup()
  const output = new Output(cup)
  cup.failure = FULL
  cup.room = 0
  output.write('a')
  output.write('b')
  cup.room = 5
  output.write('c')
  cup.room = Number.POSITIVE_INFINITY
  output.write('d')
  expect(cup.text).toBe('[!] 2\n[!] 3 lines are missing here: ENOSPC: no space left on device, write\nd\n')
})

test('a flush waits no longer than it may', async () => {
  const cup = new Cup()
  cup.room = 0
  const output = new Output(cup)
  output.write('never read')
  expect(await output.flush(30)).toBe(false)
})
