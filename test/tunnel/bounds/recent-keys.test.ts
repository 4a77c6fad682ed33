import { expect, test } from 'vitest'
import { RecentKeys } from '../../../src/tunnel/bounds/recent-keys.ts'

test('so many keys are remembered at least, and never more than twice as many', () => {
  const keys = new RecentKeys(10)
  for (let last = 0; last < 100; last++) {
    keys.add(String(last))
    const known = Array.from({ length: last + 1 }, (_, key) => keys.has(String(key)))
    expect(known.slice(-10)).not.toContain(false)
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(20)
  }
})
