import type { Platform } from '../platform.ts'
import type { Selection } from './select.ts'

/** The platform of a run: picked and loaded. */
export interface Chosen extends Selection {
  readonly platform: Platform
}

type Outcome = { readonly chosen: Chosen } | { readonly error: unknown }

const outcomes = new WeakMap<object, Outcome>()

/**
 * Waits for a run's platform and keeps it for the command, or what went wrong: oclif swallows what a hook throws.
 *
 * @param run the oclif Config, one for each run
 */
export async function keepChosen(run: object, choosing: Promise<Chosen>): Promise<void> {
  outcomes.set(run, await choosing.then((chosen) => ({ chosen })).catch((error: unknown) => ({ error })))
}

/** @throws ConnectError what kept the platform from being picked or loaded; Error if none was picked for this run */
export function chosenFor(run: object): Chosen {
  const outcome = outcomes.get(run)
  if (!outcome) throw new Error('no platform was picked for this run')
  if ('error' in outcome) throw outcome.error
  return outcome.chosen
}
