let isAbandoned = false

/** Whether some work was not waited for: that may keep the process alive for as long as it likes. */
export function hasAbandonedWork(): boolean {
  return isAbandoned
}

/** Code of others was run, which may have left anything running: a timer, a child. */
export function mayLeaveWork(): void {
  isAbandoned = true
}

/**
 * Waits for work, but no longer than this. The work itself is not ended: nobody listens to it any more.
 *
 * @throws what the work throws; what `tooLate` makes if it took too long
 */
export async function withDeadline<T>(
  work: () => T | Promise<T>,
  timeoutMs: number,
  tooLate: () => Error,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    isAbandoned = true
    reject(tooLate())
  }, timeoutMs)
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
