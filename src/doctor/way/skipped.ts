import { ConnectError } from '../../errors.ts'

/** There is nothing to look at, or what it rests on has failed, which is told there. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** Of a list of what is exposed or kept, which has a check of its own. */
export const UNREADABLE = 'Not looked at, since the list of that can’t be used'

/**
 * For what a check rests on, and another check tells.
 *
 * @param why a sentence without its full stop
 * @throws Skipped in the place of a ConnectError
 */
export async function restsOn<T>(look: () => T | Promise<T>, why: string): Promise<T> {
  try {
    return await look()
  } catch (error) {
    throw error instanceof ConnectError ? new Skipped(why, { cause: error }) : error
  }
}
