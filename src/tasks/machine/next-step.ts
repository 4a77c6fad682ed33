/** A command to run next. */
export interface NextStep {
  readonly command: string
  /** What it is for, or where to run it, if the command doesn't say so itself. */
  readonly note: string | null
}

/** Notes on one command, as one. */
export function joinNotes(...notes: readonly (string | null)[]): string | null {
  const said = notes.filter((note) => note !== null)
  return said.length === 0 ? null : said.join('; ')
}
