import { defineConfig } from 'vitest/config'

/** These start programs: the built one, or those of test/fixtures. */
const PROCESSES = [
  'test/{commands,e2e,scripts}/**/*.test.ts',
  'test/**/*.process.test.ts',
]
const APART = ['test/lab/**', 'test/soak/**', 'test/bench/**']

export default defineConfig({
  test: {
    pool: 'forks',
    // Captured output would hide from tests what a command prints.
    disableConsoleIntercept: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of them wait for other processes: with one worker a second core would stand idle.
    maxWorkers: 2,
    tags: [
      {
        name: 'variation',
        description: 'One more case of what a test without this tag shows: only `npm run test:all` runs it',
      },
    ],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...APART, ...PROCESSES] },
      },
      {
        extends: true,
        test: { name: 'process', include: PROCESSES, exclude: APART },
      },
    ],
  },
})
