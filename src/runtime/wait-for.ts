import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from './monotonic.ts'

/**
 * Asks again and again until the answer is not undefined.
 *
 * @param options.timeoutMs how long to ask at the most; it asks once more at the very end
 * @param options.everyMs pause between two questions, default 50
 * @param options.signal ends the wait early
 * @returns undefined if it took too long, or was ended
 */
export async function waitFor<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  options: { timeoutMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<T | undefined> {
  const deadline = monotonicMs() + options.timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    const left = deadline - monotonicMs()
    if (left <= 0 || options.signal?.aborted) return undefined
    await sleep(Math.min(options.everyMs ?? 50, left), undefined, { signal: options.signal }).catch(() => {})
  }
}
