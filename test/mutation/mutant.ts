/** A change that was made to a file, and what became of the tests under it. */
export interface Mutant {
  /** From the root of the repository. */
  readonly file: string
  /** 1 is the first. */
  readonly line: number
  /** The line that it begins in, without its indentation. */
  readonly code: string
  /** What was put in place of what, each on one line: `a > b → a >= b`. */
  readonly change: string
  readonly fate: Fate
}

export type Fate = 'killed' | 'timed out' | 'survived' | 'not covered'

/**
 * Changes that no test can notice, or none on the machine that measures. A line number would not last: they
 * go by their text.
 */
export interface Unnoticeable extends Pick<Mutant, 'file' | 'code' | 'change'> {
  readonly why: string
}

export function isThatOne(mutant: Mutant, known: Unnoticeable): boolean {
  return mutant.file === known.file && mutant.code === known.code && mutant.change === known.change
}
