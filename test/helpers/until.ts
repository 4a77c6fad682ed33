import { waitFor } from '../../src/runtime/wait-for.ts'

/**
 * Waits until something is so.
 *
 * @param options.timeoutMs default 30 s
 * @param options.everyMs pause between two looks, default 2
 * @throws Error if it took too long: what never comes would else only make a test slow
 */
export async function until(
  isSo: () => unknown,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<void> {
  const { timeoutMs = 30_000, everyMs = 2 } = options
  const found = await waitFor(async () => ((await isSo()) ? true : undefined), { timeoutMs, everyMs })
  if (!found) throw new Error(`not so within ${timeoutMs} ms: ${String(isSo)}`)
}
