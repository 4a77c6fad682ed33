import { expect, onTestFinished, test, vi } from 'vitest'
import { ServiceOffers } from '../../../src/hub-client/link/service-offers.ts'

/** Offers to a hub that a test answers for. */
function start() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const sent: unknown[] = []
  return { sent, offers: new ServiceOffers((message) => void sent.push(message)) }
}

const taken = { name: 'web', message: 'exposed by eve (agent_0123456789abcdef)' }

test('each list has a number of its own, and its own answer', async () => {
  const { sent, offers } = start()
  const first = offers.offer([{ name: 'web', port: 80 }], true)
  const second = offers.offer([{ name: 'db' }], true)
  expect(sent).toEqual([
    { type: 'services', seq: 1, services: [{ name: 'web', port: 80 }] },
    { type: 'services', seq: 2, services: [{ name: 'db', port: undefined }] },
  ])
  offers.answered({ type: 'services', seq: 3, refused: [] })
  offers.answered({ type: 'services', seq: 2, refused: [] })
  offers.answered({ type: 'services', seq: 1, refused: [taken] })
  expect(await Promise.all([first, second])).toEqual([[taken], []])
})

test('a hub that is too old is not told of what it does not know, and that counts as refused', async () => {
  const { sent, offers } = start()
  const refused = offers.offer([{ name: 'web', port: 80 }, { name: 'db' }], false)
  expect(sent).toMatchObject([{ services: [{ name: 'web' }] }])
  offers.answered({ type: 'services', seq: 1, refused: [taken] })
  expect(await refused).toMatchObject([taken, { name: 'db', error: 'hub too old' }])
})

test('who waits when the link is lost waits no longer, and nobody hears a late answer', async () => {
  const { offers } = start()
  const all = [offers.offer([], true), offers.offer([{ name: 'db' }], false)]
  offers.lost()
  offers.answered({ type: 'services', seq: 1, refused: [] })
  expect(await Promise.all(all)).toEqual([undefined, undefined])
})

test('a hub has ten seconds to answer', async () => {
  const { offers } = start()
  let outcome: unknown = 'waits'
  void offers.offer([], true).then((refused) => (outcome = refused))
  await vi.advanceTimersByTimeAsync(9999)
  expect(outcome).toBe('waits')
  await vi.advanceTimersByTimeAsync(1)
  expect(outcome).toBeUndefined()
})

test('what has been answered leaves nothing that waits', async () => {
  const { offers } = start()
  const answered = offers.offer([], true)
  offers.answered({ type: 'services', seq: 1, refused: [] })
  await answered
  expect(vi.getTimerCount()).toBe(0)
})
