import type { Unnoticeable } from './mutant.ts'

/** Looked at, one by one: why no test notices it. `change` is what a run prints. */
export const UNNOTICEABLE: readonly Unnoticeable[] = []
