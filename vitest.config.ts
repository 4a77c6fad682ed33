import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/soak/**', 'test/bench/**'],
    pool: 'forks',
    // Captured output would hide from tests what a command prints.
    disableConsoleIntercept: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of them wait for other processes: with one worker a second core would stand idle.
    maxWorkers: 2,
  },
})
