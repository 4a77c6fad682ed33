import { afterAll, describe, test } from 'vitest'
import { background } from '../../../src/platforms/background/description.ts'
import { platformConformance } from '../../../src/platforms/conformance/conformance.ts'

describe.each(['agent', 'hub'] as const)('of the kind %s', (kind) => {
  const suite = platformConformance({ description: background, kind, installable: false })

  afterAll(() => suite.close())

  for (const { title, run } of suite.checks) test(title, { tags: ['variation'], timeout: 120_000 }, run)
})
