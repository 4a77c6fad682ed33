import { describe, expect, test } from 'vitest'
import { Nonces } from '../../../src/hub/auth/nonces.ts'
import { MAX_NONCES, NONCE_SECONDS } from '../../../src/tunnel/protocol/limits.ts'

const AGE_MS = NONCE_SECONDS * 1000

describe('a nonce', () => {
  test('is good for its time, whatever time it is', () => {
    for (const start of [0, 1, 86_400_000 * 365 * 50]) {
      let now = start
      const nonces = new Nonces(() => now)
      const nonce = nonces.make()
      now = start + AGE_MS - 1
      expect(nonces.isGood(nonce)).toBe(true)
      now = start + AGE_MS
      expect(nonces.isGood(nonce)).toBe(false)
    }
  })

  test('is no better for having been made within a millisecond', () => {
    let now = 0.5
    const nonces = new Nonces(() => now)
    const nonce = nonces.make()
    now = AGE_MS
    expect(nonces.isGood(nonce)).toBe(false)
  })

  test('is like no other of the same moment', () => {
    const nonces = new Nonces(() => 0)
    expect(nonces.make()).not.toBe(nonces.make())
  })

  test('is good once', () => {
    const nonces = new Nonces()
    const nonce = nonces.make()
    nonces.use(nonce, 'ada')
    expect(nonces.isGood(nonce)).toBe(false)
  })

  test('is good where it was made, and written as it was', () => {
    const nonces = new Nonces()
    const nonce = nonces.make()
    expect(new Nonces().isGood(nonce)).toBe(false)
    const last = nonce.at(-1)!
    const others = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      .filter((letter) => letter !== last)
      .map((letter) => nonce.slice(0, -1) + letter)
    for (const other of [...others, `${nonce}=`, `${nonce}A`, ` ${nonce}`, '', 'A'.repeat(nonce.length)])
      expect(nonces.isGood(other), other).toBe(false)
  })

  test('that was used is forgotten after its time, and the agent may go on', () => {
    let now = 0
    const nonces = new Nonces(() => now)
    const first = nonces.make()
    nonces.use(first, 'ada')
    for (let turn = 1; turn < MAX_NONCES; turn++) {
      expect(nonces.isSpentBy('ada')).toBe(false)
      nonces.use(nonces.make(), 'ada')
    }
    expect(nonces.isSpentBy('ada')).toBe(true)
    // Nobody else is held up.
    expect(nonces.isSpentBy('eve')).toBe(false)
    now = AGE_MS - 1
    expect(nonces.isSpentBy('ada')).toBe(true)
    now = AGE_MS
    expect(nonces.isSpentBy('ada')).toBe(false)
    expect(nonces.isGood(first)).toBe(false)
  })

  test('that was released leaves nothing behind', () => {
    const nonces = new Nonces()
    for (let turn = 0; turn < MAX_NONCES; turn++) {
      const nonce = nonces.make()
      nonces.use(nonce, 'ada')
      nonces.release(nonce)
      expect(nonces.isGood(nonce)).toBe(true)
    }
    expect(nonces.isSpentBy('ada')).toBe(false)
  })

  test('that was released is one less, and what was never used is none', () => {
    const nonces = new Nonces()
    const used = Array.from({ length: MAX_NONCES }, () => nonces.make())
    const [first, second] = used
    nonces.use(first!, 'ada')
    nonces.release(first!)
    nonces.release(second!)
    for (const nonce of used) nonces.use(nonce, 'ada')
    expect(nonces.isSpentBy('ada')).toBe(true)
    nonces.release(first!)
    expect(nonces.isSpentBy('ada')).toBe(false)
    nonces.use(first!, 'ada')
    expect(nonces.isSpentBy('ada')).toBe(true)
  })
})
