/** The step of every start that waits. @param stableMs how long at the most */
export function stabilise(stableMs: number): { readonly title: string; readonly waitMs: number } {
  return { title: `Wait up to ${stableMs / 1000} s for it to stabilise`, waitMs: stableMs }
}

/** The title of the step after that. */
export const VERIFY = 'Verify that it still runs'
