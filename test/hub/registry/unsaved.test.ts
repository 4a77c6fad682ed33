import { expect, test } from 'vitest'
import { LANES, SaveQueue } from '../../../src/hub/store/save-queue.ts'
import { StoreError, type StoreErrorKind } from '../../../src/hub/store/store-error.ts'
import { Unsaved } from '../../../src/hub/registry/unsaved.ts'

/** One change, whose attempts to be saved end as a test says. */
function change() {
  const attempts: PromiseWithResolvers<boolean>[] = []
  const log: string[] = []
  const queue = new SaveQueue({ damaged: () => {}, log: (line) => log.push(line) })
  const unsaved = new Unsaved(queue, LANES.membership, () => {
    const attempt = Promise.withResolvers<boolean>()
    attempts.push(attempt)
    return attempt.promise
  })
  return { unsaved, queue, attempts, log }
}

const errorOf = (kind: StoreErrorKind) => new StoreError({ kind, reason: 'its disk is full' })

test('all who ask while an attempt is under way get what comes of it', async () => {
  const { unsaved, attempts, queue } = change()
  const asked = [unsaved.attempt(), unsaved.attempt(), unsaved.attempt()]
  attempts[0]?.resolve(true)
  expect(await Promise.all(asked)).toEqual([{ saved: true }, { saved: true }, { saved: true }])
  await queue.close()
  expect(attempts).toHaveLength(1)
})

test('who asks after a failed attempt gets another one at once', async () => {
  const { unsaved, attempts } = change()
  const asked = [unsaved.attempt(), unsaved.attempt()]
  attempts[0]?.reject(errorOf('storage'))
  expect(await Promise.all(asked)).toEqual([
    { saved: false, reason: 'its disk is full' },
    { saved: false, reason: 'its disk is full' },
  ])
  // The queue goes on a moment later.
  await new Promise((resolve) => setImmediate(resolve))
  const again = unsaved.attempt()
  expect(attempts).toHaveLength(2)
  attempts[1]?.resolve(true)
  expect(await again).toEqual({ saved: true })
})

test.for([true, false])(
  'whether the database had what is changed is known once it is saved: %s',
  async (had) => {
    const { unsaved, attempts } = change()
    const asked = unsaved.attempt()
    expect(unsaved.wasFound).toBeUndefined()
    attempts[0]?.resolve(had)
    expect(await asked).toEqual({ saved: true })
    expect(unsaved.wasFound).toBe(had)
  },
)

test('only what a later attempt may save is tried again', () => {
  const { unsaved } = change()
  const kinds = ['storage', 'rejected', 'damaged'] as const
  expect(kinds.map((kind) => unsaved.failed(errorOf(kind)))).toEqual([true, false, false])
})

test('what was saved with something else is not tried again, and who waits is told that it is saved', async () => {
  const { unsaved, attempts, queue, log } = change()
  const first = unsaved.attempt()
  attempts[0]?.reject(errorOf('storage'))
  await first
  await new Promise((resolve) => setImmediate(resolve))
  // Of those that wait in the queue, it comes last.
  const other = Promise.withResolvers<void>()
  queue.add({ lane: LANES.revocation, run: () => other.promise, failed: () => false })
  const again = unsaved.attempt()
  unsaved.drop()
  expect(await again).toEqual({ saved: true })
  other.resolve()
  await queue.close()
  expect(attempts).toHaveLength(1)
  expect(log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
})

test('it is written in its own lane', () => {
  expect(change().unsaved.lane).toBe(LANES.membership)
})
