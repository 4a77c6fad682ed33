import { wordsOf } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import type { Daemon, PlatformStatus, Step } from '../../platforms/platform.ts'
import { withRescue } from '../../platforms/with-rescue.ts'
import type { Kept, KeptContext } from './kept.ts'

/** How long what ran before may take to be up again, in ms. */
const STABLE_MS = 3000

/** A start as it began. */
interface Begun {
  readonly daemon: Daemon
  /** What the platform's status said before the first step. */
  readonly before: PlatformStatus
}

/**
 * Steps of a start: should one fail, what it was to be run with is put back, and what ran with that before
 * runs again.
 */
export function undoOnFailure(
  steps: readonly Step[],
  context: KeptContext,
  kept: Kept<unknown>,
  begun: Begun,
): readonly Step[] {
  return withRescue(steps, async (error) => {
    if (!(error instanceof ConnectError)) return error
    const left = await putBack(context, kept, begun)
    if (left === undefined) return error
    return new ConnectError(error.code, error.message, { hints: [...error.hints, left], cause: error })
  })
}

/** @returns a sentence on how it is left; undefined if there was nothing to put back */
async function putBack(context: KeptContext, kept: Kept<unknown>, begun: Begun): Promise<string | undefined> {
  try {
    if (!kept.undo?.()) return undefined
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return `Its settings of before could not be put back: ${error.message}`
  }
  return begun.before.state === 'running' ? runAgain(context, kept, begun) : AS_BEFORE
}

const AS_BEFORE = 'Its settings are as before.'

/** @returns a sentence on how it is left */
async function runAgain(
  { platform, instance }: KeptContext,
  { hear }: Kept<unknown>,
  { daemon, before }: Begun,
): Promise<string> {
  try {
    const found = await platform.status()
    if (found.state === 'running' && found.pid === before.pid) return AS_BEFORE
    // One that the platform has started meanwhile has read what it could not be run with.
    if (found.state !== 'stopped') for (const step of platform.stop(found).steps) await step.run()
    const isReady = async (pid: number) => (await hear(pid)) !== undefined
    const start = platform.start(daemon, { isReady, stableMs: STABLE_MS })
    for (const step of start.steps) await step.run()
    return `It runs again with the settings of before (PID: ${start.result().pid}).`
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    const again = `${wordsOf(instance).command} restart`
    return `Its settings are as before, and it does not run with them (${error.message}). To have it do so: ${again}`
  }
}
