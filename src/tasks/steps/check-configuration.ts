import { closeSync } from 'node:fs'
import type { Instance } from '../../config/instance.ts'
import { prepareWrite } from '../../files/durable/atomic-write.ts'
import type { Daemon, Step } from '../../platforms/platform.ts'
import { openOutputLog } from '../../process/spawn-detached.ts'
import type { Kept, KeptContext } from './kept.ts'

export interface CheckOptions {
  /** Also ask the platform whether it would refuse, before anything that runs is stopped. */
  readonly plan: boolean
  /** Told once nothing speaks against it any more, and whether what it is to be run with is new. */
  readonly onFine: (isNew: boolean) => void
}

/**
 * The first step of a start or an install: what can't be is refused before anything is changed.
 *
 * @throws ConnectError in the step: WRITE_FAILED, what `prepare` throws, and what the platform's plan throws
 */
export function checkConfiguration(
  { instance, platform }: KeptContext,
  { prepare }: Kept<unknown>,
  daemon: Daemon,
  options: CheckOptions,
): Step {
  return {
    title: 'Check the configuration',
    async run() {
      if (options.plan) await platform.plan?.(daemon)
      const isNew = await prepare()
      checkWritable(instance)
      options.onFine(isNew)
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
