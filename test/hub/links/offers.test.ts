import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Offers } from '../../../src/hub/links/offers.ts'
import { TokenBucket } from '../../../src/hub/links/token-bucket.ts'
import { MAX_WAITING_LISTS } from '../../../src/tunnel/protocol/limits.ts'

/** Lists that a test deals with by hand. */
function offers() {
  const taken: unknown[] = []
  const answers: [seq: number, answer: unknown][] = []
  let settle: ((answer: unknown) => void) | undefined
  const all = new Offers(
    new TokenBucket(100, 100),
    (message) => {
      taken.push(message)
      return new Promise<unknown>((resolve) => (settle = resolve))
    },
    (seq, answer) => void answers.push([seq, answer]),
  )
  return { all, taken, answers, settle: (answer: unknown) => settle?.(answer) }
}

test('of the lists that wait the last one counts, and its answer is that of all', async () => {
  const { all, taken, answers, settle } = offers()
  for (const seq of [1, 2, 3, 4]) void all.add(seq, `list ${seq}`)
  expect(taken).toEqual(['list 1'])
  settle('first')
  await expect.poll(() => taken).toEqual(['list 1', 'list 4'])
  settle('last')
  await expect
    .poll(() => answers)
    .toEqual([
      [1, 'first'],
      [2, 'last'],
      [3, 'last'],
      [4, 'last'],
    ])
})

test('no more wait than may', () => {
  const { all } = offers()
  void all.add(0, 'under way')
  for (let seq = 1; seq <= MAX_WAITING_LISTS; seq++) expect(all.add(seq, 'waits')).toBeDefined()
  expect(all.add(MAX_WAITING_LISTS + 1, 'too many')).toBeUndefined()
})

test('what waits when the link is gone is void', async () => {
  const { all, taken, answers, settle } = offers()
  void all.add(1, 'one')
  void all.add(2, 'two')
  all.stop()
  settle('answer')
  await sleep(20)
  expect({ taken, answers }).toEqual({ taken: ['one'], answers: [[1, 'answer']] })
})

test('an agent that sends very many over many links waits for its own', async () => {
  let taken = 0
  const allowance = new TokenBucket(32, 1)
  const links = Array.from({ length: 10 }, () => {
    const take = () => Promise.resolve(void taken++)
    return new Offers(allowance, take, () => {})
  })
  for (let seq = 0; seq < 50; seq++) {
    for (const link of links) void link.add(seq, 'list')
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(taken).toBeGreaterThan(30)
  expect(taken).toBeLessThan(60)
})

test('a list that comes when none is under way any more is dealt with at once', async () => {
  const { all, taken, answers, settle } = offers()
  const first = all.add(1, 'one')
  settle('first')
  await first
  const second = all.add(2, 'two')
  expect(taken).toEqual(['one', 'two'])
  settle('second')
  await second
  expect(answers).toEqual([
    [1, 'first'],
    [2, 'second'],
  ])
})

test('what is dealt with and needs no answer gets none', async () => {
  const { all, answers, settle } = offers()
  const done = all.add(1, 'one')
  settle(undefined)
  await done
  expect(answers).toEqual([])
})

test('a list waits for its turn, and neither the hub nor its end waits for that', async () => {
  const taken: unknown[] = []
  const take = (message: unknown) => Promise.resolve(void taken.push(message))
  const link = new Offers(new TokenBucket(1, 10), take, () => {})
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  await link.add(1, 'one')
  const waits = link.add(2, 'two')
  expect(taken).toEqual(['one'])
  // A timer that would keep the process alive would be among them.
  expect(timers()).toBe(before)
  await waits
  expect(taken).toEqual(['one', 'two'])
})
