/** A link that held this long was healthy: the count of failures begins anew, in ms. */
export const HEALTHY_AFTER_MS = 30_000

export const BASE_MS = 500
export const CAP_MS = 30_000
export const FIRST_MS = 250

/** The longest wait while streams wait for a link, in ms: streams don't wait for long. */
export const URGENT_CAP_MS = 2000

/**
 * How long to wait before the next try, in ms: almost not at all the first time, then full jitter, so that
 * ten thousand agents whose hub has restarted don't all come back in the same second.
 *
 * @param failures tries that have failed in a row before this one
 * @param options.isUrgent streams wait for the link
 * @param options.random from 0 up to 1
 */
export function backoffMs(failures: number, options: { isUrgent?: boolean; random?: number } = {}): number {
  const { isUrgent = false, random = Math.random() } = options
  if (failures === 0) return random * FIRST_MS
  return random * Math.min(isUrgent ? URGENT_CAP_MS : CAP_MS, BASE_MS * 2 ** failures)
}

/** The pause in words, for a log. */
export function describePause(ms: number): string {
  return ms < 50 ? 'at once' : `in ${(ms / 1000).toFixed(1)} s`
}
