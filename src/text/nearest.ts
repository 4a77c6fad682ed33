import { closest, distance } from 'fastest-levenshtein'

/** Whether a word is most likely another that was mistyped: at most a third of its letters differ. */
export function isNear(word: string, other: string): boolean {
  return distance(word, other) <= Math.ceil(word.length / 3)
}

/** @returns what was most likely meant by a word that nobody knows, if any of these is near */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const alike = closest(word, known)
  return isNear(word, alike) ? alike : undefined
}
