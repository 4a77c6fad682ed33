import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LANES, SaveQueue, type Write } from '../../../src/hub/store/save-queue.ts'
import { StoreError, type StoreErrorKind } from '../../../src/hub/store/store-error.ts'

const RESTORED = '[ok] The hub saves what changes again, and all is saved'
const FULL = '[!] The hub can’t save what changes, and tries again: its disk is full'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A queue whose writes do what a test says. */
function queueOf() {
  /** What was tried, and `- name` for each that was told of a failure. */
  const tried: string[] = []
  const log: string[] = []
  const damaged: StoreError[] = []
  const queue = new SaveQueue({ damaged: (error) => damaged.push(error), log: (line) => log.push(line) })
  /** Fails every write while it is set. */
  const world: { trouble?: Error | undefined; gate?: Promise<void> } = {}
  const write = (name: string, lane: keyof typeof LANES, isKept = true): Write => ({
    lane: LANES[lane],
    async run() {
      tried.push(name)
      await world.gate
      if (world.trouble) throw world.trouble
    },
    failed() {
      tried.push(`- ${name}`)
      return isKept
    },
  })
  return { queue, write, world, tried, log, damaged }
}

const troubleOf = (kind: StoreErrorKind, reason = 'its disk is full') => new StoreError({ kind, reason })

/** All that is under way and needs no timer is done after it. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('what is to be saved', () => {
  test('is written one after the other, the important first, whenever it came', async () => {
    const { queue, write, world, tried, log } = queueOf()
    const gate = Promise.withResolvers<void>()
    world.gate = gate.promise
    queue.add(write('list', 'settings'))
    queue.add(write('another list', 'settings'))
    queue.add(write('join', 'membership'))
    queue.add(write('revocation', 'revocation'))
    await settled()
    expect(tried).toEqual(['list'])
    gate.resolve()
    await settled()
    expect(tried).toEqual(['list', 'revocation', 'join', 'another list'])
    // Nothing is left to be tried again, and nothing is told.
    expect(vi.getTimerCount()).toBe(0)
    expect(log).toEqual([])
    queue.add(write('late', 'settings'))
    await settled()
    expect(tried.at(-1)).toBe('late')
  })

  test('is written once, however often it is added meanwhile', async () => {
    const { queue, write, tried } = queueOf()
    const list = write('list', 'settings')
    queue.add(write('join', 'membership'))
    queue.add(list)
    queue.add(list)
    await settled()
    expect(tried).toEqual(['join', 'list'])
  })

  test('is not written any more once it is dropped', async () => {
    const { queue, write, tried } = queueOf()
    const list = write('list', 'settings')
    queue.add(write('join', 'membership'))
    queue.add(list)
    queue.drop(list)
    await settled()
    expect(tried).toEqual(['join'])
  })
})

describe('what could not be saved', () => {
  test('is tried again after a second, then after twice as long each time, up to 15 seconds', async () => {
    const { queue, write, world, tried } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('list', 'settings'))
    await settled()
    for (const [index, pause] of [1000, 2000, 4000, 8000, 15_000, 15_000].entries()) {
      vi.advanceTimersByTime(pause - 1)
      await settled()
      expect(tried).toHaveLength(2 * (index + 1))
      vi.advanceTimersByTime(1)
      await settled()
      expect(tried).toHaveLength(2 * (index + 2))
    }
    world.trouble = undefined
    vi.advanceTimersByTime(15_000)
    await settled()
    expect(tried.at(-1)).toBe('list')
    expect(vi.getTimerCount()).toBe(0)
    // From the beginning, the next time.
    world.trouble = troubleOf('storage')
    queue.add(write('other', 'settings'))
    await settled()
    tried.length = 0
    vi.advanceTimersByTime(1000)
    await settled()
    expect(tried).toEqual(['other', '- other'])
  })

  test('waits for one timer only, whatever fails meanwhile', async () => {
    const { queue, write, world, tried } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('list', 'settings'))
    await settled()
    vi.advanceTimersByTime(900)
    queue.add(write('other', 'settings'))
    await settled()
    expect(vi.getTimerCount()).toBe(1)
    tried.length = 0
    vi.advanceTimersByTime(100)
    await settled()
    expect(tried).toEqual(['list', '- list', 'other', '- other'])
  })

  test('is told once when it begins, and once when all is saved, not before', async () => {
    const { queue, write, world, log } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('join', 'membership'))
    queue.add(write('list', 'settings'))
    await settled()
    expect(log).toEqual([FULL])
    world.trouble = undefined
    const gate = Promise.withResolvers<void>()
    vi.advanceTimersByTime(1000)
    await Promise.resolve()
    world.gate = gate.promise
    await settled()
    // The list is under way.
    expect(log).toEqual([FULL])
    gate.resolve()
    await settled()
    expect(log).toEqual([FULL, RESTORED])
  })

  test('is tried again as soon as anything else can be saved', async () => {
    const { queue, write, world, tried, log } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('list', 'settings'))
    await settled()
    world.trouble = undefined
    queue.add(write('join', 'membership'))
    await settled()
    expect(tried).toEqual(['list', '- list', 'join', 'list'])
    expect(log).toEqual([FULL, RESTORED])
  })

  test('and is not wanted any more is not tried again', async () => {
    const { queue, write, world, tried, log } = queueOf()
    world.trouble = troubleOf('storage')
    const [one, other] = [write('one', 'settings'), write('other', 'settings')]
    queue.add(one)
    queue.add(other)
    await settled()
    queue.drop(one)
    expect(log).toEqual([FULL])
    queue.drop(other)
    // Nothing is unsaved any more.
    expect(log).toEqual([FULL, RESTORED])
    tried.length = 0
    vi.advanceTimersByTime(15_000)
    await settled()
    expect(tried).toEqual([])
  })

  test('is forgotten if nobody wants it to be tried again', async () => {
    const { queue, write, world, tried } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('join', 'membership', false))
    await settled()
    expect(tried).toEqual(['join', '- join'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('takes the others with it if it is a revocation, for which nothing may take the room', async () => {
    const { queue, write, world, tried, log } = queueOf()
    world.trouble = troubleOf('storage')
    const gate = Promise.withResolvers<void>()
    world.gate = gate.promise
    queue.add(write('list', 'settings'))
    queue.add(write('another list', 'settings'))
    queue.add(write('join', 'membership'))
    queue.add(write('revocation', 'revocation'))
    gate.resolve()
    await settled()
    expect(tried).toEqual(['list', '- list', 'revocation', '- revocation', '- join', '- another list'])
    expect(log).toEqual([FULL])
    // A revocation goes first whenever anything is added. All others wait for it, or for their time.
    tried.length = 0
    queue.add(write('late', 'settings'))
    await settled()
    expect(tried).toEqual(['revocation', '- revocation', '- late'])
  })

  test('does not take the others with it if it is anything else', async () => {
    const { queue, write, world, tried } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('join', 'membership'))
    queue.add(write('list', 'settings'))
    await settled()
    expect(tried).toEqual(['join', '- join', 'list', '- list'])
  })
})

describe('a write that the database rejects', () => {
  test('is told, and not tried again, whoever wants it', async () => {
    const { queue, write, world, tried, log } = queueOf()
    world.trouble = troubleOf('rejected', 'FOREIGN KEY constraint failed')
    queue.add(write('list', 'settings'))
    await settled()
    expect(tried).toEqual(['list', '- list'])
    expect(log).toEqual(['[x] The database did not take a change: FOREIGN KEY constraint failed'])
    expect(vi.getTimerCount()).toBe(0)
    world.trouble = undefined
    queue.add(write('join', 'membership'))
    await settled()
    expect(tried).toEqual(['list', '- list', 'join'])
  })
})

describe('damage', () => {
  test('ends all of it', async () => {
    const { queue, write, world, tried, log, damaged } = queueOf()
    world.trouble = troubleOf('damaged', 'malformed')
    const gate = Promise.withResolvers<void>()
    world.gate = gate.promise
    queue.add(write('list', 'settings'))
    queue.add(write('join', 'membership'))
    gate.resolve()
    await settled()
    expect(damaged).toEqual([world.trouble])
    expect(tried).toEqual(['list', '- list', '- join'])
    expect(vi.getTimerCount()).toBe(0)
    queue.add(write('late', 'settings'))
    await settled()
    expect(tried).toEqual(['list', '- list', '- join'])
    expect(log).toEqual([])
  })
})

test('what no database says is a bug, and nothing that is tried again', async () => {
  const { queue, write, world, tried } = queueOf()
  world.trouble = new TypeError('a bug')
  queue.add(write('list', 'settings'))
  await expect(queue.close()).rejects.toThrow('a bug')
  expect(tried).toEqual(['list'])
})

describe('at its end', () => {
  test('all that is not saved is tried once more, and what is lost is told with the last reason', async () => {
    const { queue, write, world, tried, log } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('join', 'membership'))
    queue.add(write('list', 'settings'))
    await settled()
    tried.length = 0
    world.trouble = troubleOf('storage', 'its database is locked')
    await queue.close()
    expect(tried).toEqual(['join', '- join', 'list', '- list'])
    expect(log).toEqual([FULL, '[!] 2 changes are lost: its database is locked'])
    expect(vi.getTimerCount()).toBe(0)
    queue.add(write('late', 'settings'))
    await settled()
    expect(tried).toHaveLength(4)
  })

  test('what is saved then is told too, and nothing is lost', async () => {
    const { queue, write, world, log } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('list', 'settings'))
    await settled()
    world.trouble = undefined
    await queue.close()
    expect(log).toEqual([FULL, RESTORED])
  })

  test('what fails for the first time leaves no timer that would hold up the process', async () => {
    const { queue, write, world, log } = queueOf()
    world.trouble = troubleOf('storage')
    queue.add(write('list', 'settings'))
    await queue.close()
    expect(log).toEqual([FULL, '[!] 1 changes are lost: its disk is full'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
