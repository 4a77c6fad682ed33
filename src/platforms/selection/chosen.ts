import type { Platform } from '../platform.ts'
import type { Selection } from './select.ts'

/** The platform of a run: picked and loaded. */
export interface Chosen extends Selection {
  readonly platform: Platform
  /** What an install would pick, and why none of the others. @throws ConnectError as selectPlatform */
  readonly forInstall: () => Promise<Selection>
}

type Choice = { readonly chosen: Chosen } | { readonly error: unknown }

const choices = new WeakMap<object, Choice>()
const choosings = new WeakMap<object, Promise<Chosen>>()

/**
 * Waits for a run's platform and keeps it for the command, or what went wrong: oclif swallows what
 * a hook throws.
 *
 * @param run the oclif Config, one for each run
 */
export async function keepChosen(run: object, choosing: Promise<Chosen>): Promise<void> {
  choosings.set(run, choosing)
  choices.set(run, await choosing.then((chosen) => ({ chosen })).catch((error: unknown) => ({ error })))
}

/**
 * @throws ConnectError what kept the platform from being picked or loaded; Error if none was picked
 * for this run
 */
export function chosenFor(run: object): Chosen {
  const choice = choices.get(run)
  if (!choice) throw new Error('no platform was picked for this run')
  if ('error' in choice) throw choice.error
  return choice.chosen
}

/** For who has better to do than to wait for it. @throws Error if none is being picked for this run */
export function choosingFor(run: object): Promise<Chosen> {
  const choosing = choosings.get(run)
  if (!choosing) throw new Error('no platform was picked for this run')
  return choosing
}
