/** How long a shell waits for what an agent or a hub knows, in ms. */
export const ANSWER_MS = 300

/**
 * @returns undefined if it fails, for whatever reason: whoever completes a word is told nothing, and the
 * command itself says what is wrong
 */
export async function quietly<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch {
    return undefined
  }
}
