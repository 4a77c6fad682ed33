import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** These mostly wait: for a service manager to start something again, or past time-outs. */
const WAITING = [
  'machine',
  'systemd-*',
  'bad-disk',
  'blocked-reader',
  'faults',
  'faults-at-start',
  'outage',
  'plugins',
  'plugins-conformance',
  'reverse-proxy',
  'slow-line',
  'watchdog',
  'without-systemd',
].map((name) => `test/lab/${name}.test.ts`)

/** These take over a minute, so one that begins last would be waited for alone. */
const LONG = [
  'faults',
  'plugins-conformance',
  'faults-at-start',
  'reverse-proxy',
  'systemd-conformance',
  'outage',
  'systemd-hub-trouble',
  'systemd-crash',
  'plugins',
  'systemd-stays-down',
  'bad-disk',
  'blocked-reader',
].map((name) => `${name}.test.ts`)

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.includes(path.basename(moduleId))
    const [long, others] = [files.filter(isLong), files.filter((file) => !isLong(file))]
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the sequencer's own method
    return [...long, ...(await super.sort(others))]
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    disableConsoleIntercept: true,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/lab/**/*.test.ts'],
          exclude: WAITING,
          // Each file runs servers of its own, and some move a gigabyte: beside others it would only be
          // slower.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'waiting',
          include: WAITING,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
