/**
 * What was most likely meant by a word that nobody knows.
 *
 * @returns the word that is most like it, if at most a third of its letters differ
 */
export async function nearest(word: string, known: readonly string[]): Promise<string | undefined> {
  if (known.length === 0) return undefined
  // Loaded only for an error.
  const { closest, distance } = await import('fastest-levenshtein')
  const alike = closest(word, known)
  return distance(word, alike) <= Math.ceil(word.length / 3) ? alike : undefined
}
