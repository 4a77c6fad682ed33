import { afterAll } from 'vitest'

/** Takes what a suite has started, and how to end it. @returns what it was given */
export type Own = <T>(thing: T, end: (thing: T) => unknown) => T

/**
 * Ends what a suite has started, the last first, after its last test: also when it failed half-way through
 * starting. To be called once in the suite.
 */
export function ownedBySuite(): Own {
  const ends: (() => unknown)[] = []
  afterAll(async () => {
    const errors: unknown[] = []
    for (const end of ends.toReversed()) {
      try {
        await end()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be ended')
  })
  return (thing, end) => {
    ends.push(() => end(thing))
    return thing
  }
}
