import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'

const MARK = 'MUTATION_RUN'

/** Marks this process, and with it all that it will start. */
export function markRun(): void {
  process.env[MARK] = String(process.pid)
}

/**
 * Ends what tests have started and not ended: a change in what ends processes leaves some behind. By the mark
 * in their environment, which proc(5) shows as it was at their start; elsewhere than on Linux they stay.
 */
export function endLeftBehind(): void {
  if (process.platform !== 'linux') return
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || !isMarked(entry)) continue
    try {
      process.kill(Number(entry), 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function isMarked(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${process.pid}`)
  } catch {
    // It has ended meanwhile, or is another user's.
    return false
  }
}
