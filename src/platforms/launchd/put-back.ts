import { ConnectError } from '../../errors.ts'
import { waitFor } from '../../process/wait.ts'
import { stateOf } from './describe-job.ts'
import type { Installation } from './installation.ts'
import { readMark } from './plist.ts'

/** How it was before a command changed anything. */
export interface Before {
  /** The plist; undefined if there was none. */
  readonly text: string | undefined
  /** launchd had the job. */
  readonly isLoaded: boolean
}

/**
 * Runs what changes a job. If it fails, all is as it was before: the plist, and the job that ran. The error says how
 * it was left.
 */
export async function orPutBack<T>(
  installation: Installation,
  before: Before,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    installation.launchctl.limit(installation.timing.putBackMs)
    const state = await putBack(installation, before).catch((failure: unknown) => {
      if (failure instanceof ConnectError) return `It could not be put back as it was: ${failure.message}`
      throw failure
    })
    throw new ConnectError(error.code, error.message, { hints: [...error.hints, state], cause: error })
  }
}

/** @returns how it is now, a sentence */
async function putBack(installation: Installation, { text, isLoaded }: Before): Promise<string> {
  const { control, file, timing } = installation
  const sighting = (await control.look()).certain()
  const mark = text === undefined ? undefined : readMark(text)?.mark
  const isBack =
    file.read() === text && isLoaded && sighting.placed.some(({ job }) => job.definition === mark)
  if (!isBack) {
    await control.unload()
    if (file.read() !== text) file.put(text)
    if (!isLoaded || mark === undefined) return 'Nothing runs now, as before.'
    await control.load(mark)
  }
  const settled = await waitFor(
    async () => {
      const main = (await control.look()).main()
      return main && stateOf(main.job).state !== 'starting' ? main.job : undefined
    },
    { timeoutMs: installation.launchctl.left(timing.slackMs), everyMs: timing.pollMs },
  )
  if (!settled) return 'launchd has it as before, but it does not run. See: connect daemon status'
  const { state } = stateOf(settled)
  if (state === 'running') return `What ran before runs again (PID: ${settled.pid}).`
  if (state === 'restarting') return 'launchd goes on trying to start it. To end that: connect daemon stop'
  return 'It does not run now. Once that is mended, run: connect daemon start'
}
