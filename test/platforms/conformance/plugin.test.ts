import { afterAll, describe, test } from 'vitest'
import type { PluginDescription } from '../../../src/platforms/platform.ts'
import { platformConformance } from '../../../src/platforms/conformance/conformance.ts'

const plugin = new URL('../../fixtures/plugin-platform/platforms.js', import.meta.url)
const { testinit } = (await import(plugin.href)) as { testinit: PluginDescription }

describe.each(['agent', 'hub'] as const)('of the kind %s', (kind) => {
  const suite = platformConformance({ description: testinit, kind })

  afterAll(() => suite.close())

  for (const { title, run } of suite.checks) test(title, { tags: ['variation'], timeout: 120_000 }, run)
})
