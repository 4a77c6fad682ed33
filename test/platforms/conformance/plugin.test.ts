import { afterAll, test } from 'vitest'
import type { PluginDescription } from '../../../src/platforms/platform.ts'
import { platformConformance } from '../../../src/platforms/conformance/conformance.ts'

const plugin = new URL('../../fixtures/plugin-platform/platforms.js', import.meta.url)
const { testinit } = (await import(plugin.href)) as { testinit: PluginDescription }

const suite = platformConformance({ description: testinit })

afterAll(() => suite.close())

for (const { title, run } of suite.checks) test(title, { tags: ['variation'], timeout: 120_000 }, run)
