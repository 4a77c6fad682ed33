import { waitFor } from '../../../runtime/wait-for.ts'

/** @throws Error that names the promise which was broken */
export function assert(kept: boolean, promise: string, found?: unknown): asserts kept {
  if (!kept) throw new Error(found === undefined ? promise : `${promise}; found: ${shown(found)}`)
}

/** For an answer that may be anything, whatever its type says. @param found what the answer was part of */
export function assertEqual(
  answer: unknown,
  wanted: unknown,
  promise: string,
  found: unknown = answer,
): void {
  if (answer !== wanted) throw new Error(`${promise}; found: ${shown(found)}`)
}

/**
 * Waits until the answer is not undefined.
 *
 * @throws Error that names the promise, and the last thing that was seen
 */
export async function eventually<T>(
  promise: string,
  ask: () => T | undefined | Promise<T | undefined>,
  options: { timeoutMs?: number; seen?: () => unknown } = {},
): Promise<T> {
  const { timeoutMs = 30_000, seen } = options
  const answer = await waitFor(ask, { timeoutMs })
  if (answer !== undefined) return answer
  const found = seen ? `; found: ${shown(await seen())}` : ''
  throw new Error(`${promise} (waited ${timeoutMs / 1000} s)${found}`)
}

/** @throws Error if the promise does not reject. @returns what it rejected with */
export async function assertRejects(promise: string, work: Promise<unknown>): Promise<unknown> {
  let answer: unknown
  try {
    answer = await work
  } catch (error) {
    return error
  }
  throw new Error(`${promise}; it returned ${shown(answer)}`)
}

function shown(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? 'undefined')
}
