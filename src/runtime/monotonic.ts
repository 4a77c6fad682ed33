/**
 * A clock that nobody sets, in ms since the process started. Unlike `performance.now()` it loads nothing:
 * that takes a twentieth as long as a bare Node.js, for whoever asks first.
 */
export function monotonicMs(): number {
  return process.uptime() * 1000
}
