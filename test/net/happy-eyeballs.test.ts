import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectToFirst, type Race } from '../../src/net/happy-eyeballs.ts'
import { interleave } from '../../src/net/interleave.ts'
import type { Address } from '../../src/net/known-addresses.ts'
import { describeNetworkError, networkErrorCode } from '../../src/net/network-error.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const v4 = (host: number): Address => ({ address: `192.0.2.${host}`, family: 4 })
const v6 = (host: number): Address => ({ address: `2001:db8::${host}`, family: 6 })

/** What stands for a socket here: it connects, or fails, when the test says so. */
class Attempt extends EventEmitter {
  readonly address: string
  isDestroyed = false

  constructor(address: string) {
    super()
    this.address = address
  }

  destroy(): void {
    this.isDestroyed = true
  }

  fail(code: string): void {
    this.emit('error', Object.assign(new Error(code), { code, address: this.address }))
  }
}

interface Scene {
  readonly attempts: Attempt[]
  readonly race: Race
  readonly outcomes: (Error | string)[]
}

function raceTo(addresses: readonly Address[]): Scene {
  const attempts: Attempt[] = []
  const outcomes: (Error | string)[] = []
  const open = ({ address }: Address) => {
    const attempt = new Attempt(address)
    attempts.push(attempt)
    return attempt as unknown as Socket
  }
  const race = connectToFirst(addresses, open, (error, socket) => {
    outcomes.push(error ?? (socket as unknown as Attempt).address)
  })
  return { attempts, race, outcomes }
}

const opened = ({ attempts }: Scene) => attempts.map(({ address }) => address)

test('addresses are tried family by family in turn, the first one’s first', () => {
  expect(interleave([v6(1), v6(2), v6(3), v4(1), v4(2)])).toEqual([v6(1), v4(1), v6(2), v4(2), v6(3)])
  expect(interleave([v4(1), v6(1), v6(2)])).toEqual([v4(1), v6(1), v6(2)])
  expect(interleave([])).toEqual([])
})

test('an attempt begins 250 ms after the one before, and none is dropped until one has won', () => {
  const scene = raceTo([v6(1), v4(1), v4(2)])
  expect(opened(scene)).toHaveLength(1)
  vi.advanceTimersByTime(249)
  expect(opened(scene)).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(opened(scene)).toEqual(['2001:db8::1', '192.0.2.1'])
  vi.advanceTimersByTime(10_000)
  const [first, second, third] = scene.attempts
  expect(scene.attempts.map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, false])
  first!.emit('connect')
  expect(scene.outcomes).toEqual(['2001:db8::1'])
  expect([first, second, third].map((attempt) => attempt!.isDestroyed)).toEqual([false, true, true])
  // Whoever has it now listens for what comes.
  expect(first!.listenerCount('error')).toBe(0)
  second!.fail('ECONNRESET')
  second!.emit('connect')
  expect(scene.outcomes).toHaveLength(1)
})

test('one that fails starts the next at once, and the wait begins anew', () => {
  const scene = raceTo([v6(1), v4(1), v4(2)])
  vi.advanceTimersByTime(200)
  scene.attempts[0]!.fail('ENETUNREACH')
  expect(opened(scene)).toEqual(['2001:db8::1', '192.0.2.1'])
  vi.advanceTimersByTime(249)
  expect(opened(scene)).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(opened(scene)).toHaveLength(3)
  scene.attempts[2]!.emit('connect')
  expect(scene.outcomes).toEqual(['192.0.2.2'])
})

test('where all fail the error tells what came of each address, but not of those that there is no way to', () => {
  const same = raceTo([v4(1), v4(2)])
  for (const index of [0, 1]) same.attempts[index]!.fail('ECONNREFUSED')
  const refused = same.outcomes[0] as Error
  expect(describeNetworkError(refused)).toBe('connection refused')
  expect(networkErrorCode(refused)).toBe('ECONNREFUSED')

  const mixed = raceTo([v6(1), v4(1), v4(2)])
  mixed.attempts[0]!.fail('ENETUNREACH')
  mixed.attempts[1]!.fail('ECONNREFUSED')
  mixed.race.expire()
  expect(describeNetworkError(mixed.outcomes[0])).toBe(
    'connection refused (192.0.2.1), no answer in time (192.0.2.2)',
  )
  expect(mixed.attempts[2]!.isDestroyed).toBe(true)
})

test('the error of a single address is its own', () => {
  const scene = raceTo([v4(1)])
  scene.attempts[0]!.fail('ECONNREFUSED')
  expect(scene.outcomes).toMatchObject([{ code: 'ECONNREFUSED', address: '192.0.2.1' }])
})

test('one that is cancelled ends without a word', () => {
  const scene = raceTo([v6(1), v4(1)])
  scene.race.cancel()
  vi.advanceTimersByTime(1000)
  scene.attempts[0]!.emit('connect')
  scene.race.expire()
  expect(scene.outcomes).toEqual([])
  expect(scene.attempts.map(({ isDestroyed }) => isDestroyed)).toEqual([true])
})
