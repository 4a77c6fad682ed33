import { closeSync, constants, writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { workerData } from 'node:worker_threads'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { openOurs } from '../files/open-ours.ts'
import { formatLine } from '../log/line.ts'

export interface WatchdogData {
  /** How often the main thread's event loop has come round. */
  readonly beats: Int32Array
  /** 1 when the watch is over. */
  readonly stopped: Int32Array
  readonly logFile: string
  readonly limitMs: number
  readonly everyMs: number
  readonly onBlockedWrite: { readonly file: string; readonly content: string } | undefined
}

const data = workerData as WatchdogData
const { beats, stopped, limitMs, everyMs } = data

/**
 * Counted in ticks of this thread, never by the clock: it goes on while the process is stopped, or
 * the machine sleeps.
 */
let still = 0
let seen = Atomics.load(beats, 0)
for (let tick = nextTick(); tick !== 'over'; tick = nextTick()) {
  const now = Atomics.load(beats, 0)
  still = tick === 'in time' && now === seen ? still + 1 : 0
  seen = now
  if (still * everyMs < limitMs) continue
  end()
  break
}

/** A late tick says that not only the main thread stood still. */
function nextTick(): 'in time' | 'late' | 'over' {
  const begin = performance.now()
  if (Atomics.wait(stopped, 0, 0, everyMs) !== 'timed-out') return 'over'
  return performance.now() - begin > 3 * everyMs ? 'late' : 'in time'
}

function end(): void {
  const seconds = Math.round(limitMs / 100) / 10
  const why = `[x] The event loop was blocked for ${seconds} s: ending, so that it can be started again`
  // Whatever can't be written, a process that does nothing any more must not stay.
  try {
    const log = openOurs(data.logFile, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY)
    writeSync(log, `${formatLine(new Date(), 'error', why)}\n`)
    closeSync(log)
  } finally {
    try {
      if (data.onBlockedWrite) writeFileAtomic(data.onBlockedWrite.file, data.onBlockedWrite.content)
    } finally {
      process.kill(process.pid, 'SIGABRT')
    }
  }
}
