import { defineConfig } from 'vitest/config'
import config from '../../vitest.config.ts'

/** As for `npm test`, but only the tests named by MUTATION_TESTS. */
export default defineConfig({
  test: { ...config.test, include: (process.env.MUTATION_TESTS ?? '').split(' '), maxWorkers: 1 },
})
