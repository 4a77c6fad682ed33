import { globSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** A test that imports one of these starts programs, and waits for them. */
const STARTS_PROGRAMS =
  /\/(?:helpers\/(?:world|launchctl\/fake|faults\/trials)|fixtures\/(?:run-fixture|machine\/without-root)|conformance\/conformance)\.ts'|\b(?:connect|startConnect|RunningCli)\b[^}]*\} from '[./]+\/helpers\/cli\.ts'/

const exclude = ['test/lab/**', 'test/soak/**', 'test/bench/**']
const { process = [], unit = [] } = Object.groupBy(
  globSync('test/**/*.test.ts', { exclude }).toSorted(),
  (file) => (STARTS_PROGRAMS.test(readFileSync(file, 'utf8')) ? 'process' : 'unit'),
)

export default defineConfig({
  test: {
    pool: 'forks',
    // Captured output would hide from tests what a command prints.
    disableConsoleIntercept: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of them wait for other processes: with as many workers as cores, two of them would be idle half of the time.
    maxWorkers: 3,
    tags: [
      {
        name: 'variation',
        description: 'One more case of what a test without this tag shows: only `npm run test:all` runs it',
      },
    ],
    projects: [
      { extends: true, test: { name: 'unit', include: unit } },
      { extends: true, test: { name: 'process', include: process } },
    ],
  },
})
