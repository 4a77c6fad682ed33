import { expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'

test('the first answer ends the wait', async () => {
  let asked = 0
  const answer = await waitFor(() => (++asked === 3 ? 'yes' : undefined), { timeoutMs: 30_000, everyMs: 1 })
  expect(answer).toBe('yes')
  expect(asked).toBe(3)
})

test('it asks once more at the very end', async () => {
  const times: number[] = []
  await waitFor(() => void times.push(performance.now()), { timeoutMs: 30, everyMs: 20 })
  expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(29)
})

test('without any time it asks once', async () => {
  let asked = 0
  expect(await waitFor(() => void asked++, { timeoutMs: 0 })).toBeUndefined()
  expect(asked).toBe(1)
})

test('a signal ends it early', async () => {
  const stop = new AbortController()
  const waiting = waitFor(() => undefined, { timeoutMs: 60_000, everyMs: 60_000, signal: stop.signal })
  stop.abort()
  expect(await waiting).toBeUndefined()
})

test('an error of the question ends it', async () => {
  const ask = () => {
    throw new Error('no')
  }
  await expect(waitFor(ask, { timeoutMs: 60_000 })).rejects.toThrow('no')
})
