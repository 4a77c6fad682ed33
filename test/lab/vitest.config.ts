import { defineConfig } from 'vitest/config'

/** These mostly wait, for systemd to start something again. */
const MACHINES = ['test/lab/machine.test.ts', 'test/lab/systemd-*.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    disableConsoleIntercept: true,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/lab/**/*.test.ts'],
          exclude: MACHINES,
          // Each file runs servers of its own, and some move a gigabyte: beside others it would only be
          // slower.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'machines',
          include: MACHINES,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
