import type { Termination } from '../../process/terminate.ts'
import type { Skipped, Step } from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import type { Installation } from './installation.ts'

/** One way to have launchd stop a job. */
export interface Stopping {
  ask(): Promise<Skipped | void>
  wait(): Promise<Skipped | void>
  verify(): Promise<Skipped | void>
  /** The agent that it stops; undefined until it has been asked. */
  readonly pid: number | undefined
  /** How its process went; undefined if there was nothing to stop. */
  readonly termination: Termination | undefined
}

/**
 * The steps of a stop.
 *
 * @param way how, or why not: asked by each step, since a step before these may have to look first
 */
export function stopSteps(
  { instance, timing }: Installation,
  way: () => Stopping | Skipped,
): readonly Step[] {
  const by = (part: 'ask' | 'wait' | 'verify') => async () => {
    const stopping = way()
    return 'skipped' in stopping ? stopping : stopping[part]()
  }
  const pidFile = removePidFile(instance, () => {
    const stopping = way()
    return 'skipped' in stopping ? { pid: undefined, termination: undefined } : stopping
  })
  return [
    { title: 'Ask launchd to stop', run: by('ask') },
    {
      title: `Wait for its result (clean, or killed after ${timing.exitMs / 1000} s)`,
      waitMs: timing.exitMs,
      run: by('wait'),
    },
    { title: 'Verify that it is gone', run: by('verify') },
    {
      ...pidFile,
      run: async () => {
        const stopping = way()
        return 'skipped' in stopping ? stopping : pidFile.run()
      },
    },
  ]
}
