import type { ConformanceOptions } from './harness/options.ts'
import { TestHub } from './harness/test-hub.ts'
import { checksFor, runCheck } from './run-check.ts'

export interface ConformanceSuite {
  /** The tests, to be run one after another; the longest takes about a minute. */
  readonly checks: readonly { readonly title: string; readonly run: () => Promise<void> }[]
  /** To be called after the last test: ends the hub that the first one started. */
  close(): Promise<void>
}

/**
 * What every platform promises, as tests: a real hub, real agents, and homes that are thrown away; with the
 * kind `hub`, real hubs. It needs no test framework: a check that fails rejects with an error that names the
 * promise which was broken.
 */
export function platformConformance(options: ConformanceOptions): ConformanceSuite {
  let hub: Promise<TestHub> | undefined
  return {
    checks: checksFor(options).map((check) => ({
      title: check.title,
      // A hub needs no other one.
      run: async () =>
        runCheck(check, options.kind === 'hub' ? undefined : await (hub ??= TestHub.start()), options),
    })),
    async close() {
      await (await hub)?.close()
    },
  }
}
