import { ConnectError } from '../../errors.ts'
import type { StartOptions } from '../platform.ts'
import { readMark } from './definition.ts'
import type { Installation } from './installation.ts'
import { stateOf, isReadFrom } from './manager/state.ts'
import { unload } from './stop.ts'
import { watch } from './verify.ts'

/** How plist and job were before a command changed anything. */
export interface Previous {
  /** The plist; undefined if there was none. */
  readonly text: string | undefined
  /** launchd had the job. */
  readonly isLoaded: boolean
}

/**
 * After a step that failed: puts back the plist and the job as they were before.
 *
 * @returns the error to throw: the one that was given, which says how it was left
 */
export async function rollBack(
  installation: Installation,
  before: Previous,
  error: unknown,
  options: StartOptions,
): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error
  installation.launchctl.limit(installation.timing.rollbackMs)
  const state = await restore(installation, before, options).catch((failure: unknown) => {
    if (failure instanceof ConnectError) return leftAs(installation, failure)
    throw failure
  })
  return new ConnectError(error.code, error.message, { hints: [...error.hints, state], cause: error })
}

/** @returns a sentence on what runs now, where what was before could not be put back */
async function leftAs({ control }: Installation, { message }: ConnectError): Promise<string> {
  const lookup = await control.look()
  const main = lookup.main()
  const why = `what was before could not be put back (${message})`
  if (lookup.doubt !== undefined) return `It is not known what runs now: ${why}.`
  if (!main) return `Nothing runs now: ${why}.`
  if (main.job.pid === undefined) return `launchd has it, and it does not run: ${why}.`
  return `It runs (PID: ${main.job.pid}): ${why}.`
}

/** @returns a sentence on what is installed and runs now */
async function restore(
  installation: Installation,
  { text, isLoaded }: Previous,
  options: StartOptions,
): Promise<string> {
  const { control, file, names, timing } = installation
  const lookup = (await control.look()).requireKnown()
  const mark = text === undefined ? undefined : readMark(text)?.mark
  let main = lookup.loaded.find(({ job }) => isReadFrom(job, names.file, mark))
  if (file.read() !== text || !isLoaded || !main) {
    await unload(installation)
    if (file.read() !== text) file.put(text)
    if (!isLoaded || text === undefined) {
      return text === undefined
        ? 'Nothing is installed, and nothing runs now.'
        : 'It is installed as before, and does not run now.'
    }
    main = await control.load(mark)
  }
  const { domain, job } = main
  // A job that was just loaded may not have been started yet.
  const runsBefore = Math.max(0, (job.runs ?? 1) - 1)
  const expected = { domain, runsBefore, slackMs: timing.rollbackMs / 5 }
  const { proven } = await watch(installation, expected, options)
  if (proven) return `What ran before runs again (PID: ${proven.pid}).`
  const now = (await control.look()).main(job.pid)
  if (now && stateOf(now.job, names).state !== 'stopped')
    return `launchd goes on trying to start it. To end that: ${names.words.command} stop`
  return `It does not run now. Once that is fixed, run: ${names.words.command} start`
}
