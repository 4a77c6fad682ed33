import { closeSync } from 'node:fs'
import { claimInstanceName, type Instance } from '../config/instance.ts'
import { prepareWrite } from '../files/durable/atomic-write.ts'
import type { Daemon, Step } from '../platforms/platform.ts'
import { openOutputLog } from '../process/spawn-detached.ts'
import type { DaemonContext } from './daemon-context.ts'
import { rememberProxy } from './remember-proxy.ts'

export interface CheckOptions {
  /** Also ask the platform whether it would refuse, before anything that runs is stopped. */
  readonly plan: boolean
  /**
   * Told once nothing speaks against it any more, and whether what the environment says of proxies is new.
   */
  readonly onFine: (isNewProxy: boolean) => void
}

/**
 * The first step of a start or an install: what can't be is refused before anything is changed.
 *
 * @throws ConnectError in the step: NOT_CONFIGURED, BAD_PROXY, WRITE_FAILED, and what the
 * platform's plan throws
 */
export function checkConfiguration(context: DaemonContext, daemon: Daemon, options: CheckOptions): Step {
  const { instance, platform } = context
  return {
    title: 'Check the configuration',
    async run() {
      if (options.plan) await platform.plan?.(daemon)
      const isNewProxy = rememberProxy(instance)
      claimInstanceName(instance)
      checkWritable(instance)
      options.onFine(isNewProxy)
    },
  }
}

/**
 * On a full disk another could neither start nor say why.
 *
 * @throws ConnectError WRITE_FAILED
 */
function checkWritable({ recordFile, logFile }: Instance): void {
  prepareWrite(recordFile, ' '.repeat(4096)).discard()
  closeSync(openOutputLog(logFile))
}
