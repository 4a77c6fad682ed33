/** How many are named: a person reads this. */
const SHOWN = 5

/** The first of them, and how many more there are. */
export function listed(texts: readonly string[]): string {
  const more = texts.length - SHOWN
  return texts.slice(0, SHOWN).join('; ') + (more > 0 ? `; and ${more} more` : '')
}
