import { wordsOf, type KindWords } from '../../config/kind.ts'
import { processElsewhere } from '../../control/find-process.ts'
import { ConnectError } from '../../errors.ts'
import { stopProcess } from '../../platforms/background/stop.ts'
import type { Action, PlatformStatus, Step } from '../../platforms/platform.ts'
import { withRescue } from '../../platforms/with-rescue.ts'
import type { Termination } from '../../process/terminate.ts'
import type { KeptContext } from './kept.ts'

/**
 * Ends an agent that was started in the background, where another platform is to keep it from now on: it
 * would hold the agent's lock for ever.
 *
 * @param found what the platform's status has just told
 */
export function endBeside(
  { instance, description }: KeptContext,
  found: PlatformStatus,
): Action<Termination | undefined> {
  // On that platform the agent in the background is the daemon itself.
  if (description.name === 'background') return { steps: [], result: () => undefined }
  return stopProcess(instance, found)
}

interface TakeOver extends Action<Termination | undefined> {
  /** An agent is ended before the platform's steps. */
  readonly endsAnother: boolean
}

/**
 * What has to be done about an agent that runs outside of the platform, before the platform's own
 * `steps` start one.
 *
 * @param command what is to be run once the way is free
 * @throws ConnectError AGENT_RUNNING for one in the foreground, which is left alone; AGENT_ELSEWHERE
 */
export function takeOver(
  context: KeptContext,
  found: PlatformStatus,
  { command, steps }: { command: 'start' | 'install'; steps: readonly Step[] },
): TakeOver {
  const { foregroundPid, background } = found
  const words = wordsOf(context.instance)
  if (foregroundPid !== undefined) {
    throw new ConnectError(
      words.errors.running,
      `${words.anyone} runs in the foreground (PID: ${foregroundPid})`,
      {
        hints: [`End it with Ctrl-C where it runs, then run: ${words.command} ${command}`],
      },
    )
  }
  if (background?.state === 'unknown') throw processElsewhere(context.instance, background.reason)
  const ending = endBeside(context, found)
  if (ending.steps.length === 0) return { ...ending, endsAnother: false, steps }
  return {
    ...ending,
    endsAnother: true,
    steps: [...ending.steps, ...withRescue(steps, (error) => withStopped(words, error))],
  }
}

/** A failure that also says that the daemon in the background was stopped. */
function withStopped({ kept, command }: KindWords, error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error
  const hints = [...error.hints, `The background ${kept} was stopped. To start it again: ${command} start`]
  return new ConnectError(error.code, error.message, { hints, cause: error })
}
