// The end of an agent or a hub that gives no sign of life. A process of its own, see watchdog.ts.
import { closeSync, constants, writeSync } from 'node:fs'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { openOurs } from '../files/open-ours.ts'
import { formatLine } from '../log/line.ts'
import { isStopped } from '../process/is-stopped.ts'

export interface WatchdogData {
  /** Whom it is about. */
  readonly parent: number
  readonly logFile: string
  readonly limitMs: number
  /** How long the answer may take. */
  readonly askMs: number
  readonly onBlockedWrite: { readonly file: string; readonly content: string } | undefined
}

const LOOKS = 5

const { parent, logFile, limitMs, askMs, onBlockedWrite } = JSON.parse(process.env.WATCHDOG!) as WatchdogData
const everyMs = askMs / LOOKS
/** In a row, while the parent could have answered. */
let looks = 0
let last = performance.now()

/** The answer is a signal that ends this process. */
writeSync(1, '?')
const timer = setInterval(look, everyMs)

/**
 * Counted in looks, never by the clock: it goes on while the parent is stopped, or the machine sleeps. A late
 * look says that not only the parent stood still.
 */
function look(): void {
  // Whoever has lost its parent is another's child.
  if (process.ppid !== parent) return clearInterval(timer)
  const now = performance.now()
  const isLate = now - last > 3 * everyMs
  last = now
  looks = isLate || isStopped(parent) ? 0 : looks + 1
  if (looks < LOOKS) return
  clearInterval(timer)
  end()
}

function end(): void {
  const seconds = Math.round(limitMs / 100) / 10
  const why = `[x] The event loop was blocked for ${seconds} s: ending, so that it can be started again`
  // Whatever can't be written, a process that does nothing any more must not stay.
  try {
    const log = openOurs(logFile, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY)
    writeSync(log, `${formatLine(new Date(), 'error', why)}\n`)
    closeSync(log)
  } finally {
    try {
      if (onBlockedWrite) writeFileAtomic(onBlockedWrite.file, onBlockedWrite.content)
    } finally {
      process.kill(parent, 'SIGABRT')
    }
  }
}
