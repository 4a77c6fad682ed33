import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { noteStopped } from '../control/process-end.ts'
import { processElsewhere, findProcess } from '../control/find-process.ts'
import { ConnectError } from '../errors.ts'
import type { Termination } from '../process/terminate.ts'
import type { Step } from './platform.ts'

/** What was stopped by the steps before. */
export interface Stopped {
  readonly pid: number | undefined
  /** Undefined if nothing ran. */
  readonly termination: Termination | undefined
}

/**
 * The last step of every stop: no file names the agent any more, and how it ended is kept. An agent that
 * ended by itself has done so before.
 *
 * @throws ConnectError AGENT_ELSEWHERE in the step, if an agent still holds this instance and nothing tells
 * which process that is
 */
export function removePidFile(instance: Instance, stopped: () => Stopped): Step {
  return {
    title: 'Remove the PID file',
    async run() {
      const { pid, termination } = stopped()
      try {
        if ((await noteStopped(instance, pid, termination)) === 'noted') return undefined
      } catch (error) {
        if (!(error instanceof ConnectError) || error.code !== 'WRITE_FAILED') throw error
        return { skipped: 'nothing can be written here' }
      }
      const found = await findProcess(instance)
      if (found.state === 'unknown') throw processElsewhere(instance, found.reason)
      return { skipped: `the ${wordsOf(instance).process} that runs has it` }
    },
  }
}
