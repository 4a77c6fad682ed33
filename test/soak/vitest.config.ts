import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts'],
    pool: 'forks',
    // Each file keeps the machine busy as it is.
    fileParallelism: false,
    disableConsoleIntercept: true,
    testTimeout: 4 * 3_600_000,
    hookTimeout: 120_000,
  },
})
