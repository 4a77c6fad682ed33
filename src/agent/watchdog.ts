import { Worker } from 'node:worker_threads'
import { isOperationalError } from '../runtime/operational-error.ts'
import type { WatchdogData } from './watchdog-worker.ts'

export interface WatchdogOptions {
  /** Takes the line that tells why the process ends. */
  readonly logFile: string
  /** How long the event loop may be blocked, default 30 s. */
  readonly limitMs?: number
  /** How often it must show that it isn't, default each second. */
  readonly everyMs?: number
  /**
   * A file that is written just before the end, for whoever looks later; its time of change is the time
   * of the end.
   */
  readonly onBlockedWrite?: { readonly file: string; readonly content: string }
  /** There is no watchdog any more, and everything else goes on. */
  readonly onFailed: (error: Error) => void
}

export interface Watchdog {
  stop(): Promise<void>
}

/**
 * Ends this process by SIGABRT when its event loop is blocked for too long, so that it can be started again.
 * That is found and done by a thread of its own, since nothing of the main one runs then.
 */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { logFile, limitMs = 30_000, everyMs = 1000, onBlockedWrite, onFailed } = options
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const stopped = new Int32Array(new SharedArrayBuffer(4))
  const workerData: WatchdogData = { beats, stopped, logFile, limitMs, everyMs, onBlockedWrite }
  // The compiler rewrites endings in imports only.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  let worker: Worker
  try {
    worker = new Worker(new URL(`./watchdog-worker.${ending}`, import.meta.url), {
      workerData,
      name: 'watchdog',
      // Nothing that NODE_OPTIONS loads into the agent has anything to do there.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    })
  } catch (error) {
    if (!isOperationalError(error)) throw error
    onFailed(error as Error)
    return { stop: async () => {} }
  }
  const timer = setInterval(() => Atomics.add(beats, 0, 1), everyMs)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('error', (error: Error) => {
    clearInterval(timer)
    onFailed(error)
  })
  timer.unref()
  worker.unref()
  return {
    async stop() {
      clearInterval(timer)
      worker.ref()
      Atomics.store(stopped, 0, 1)
      Atomics.notify(stopped, 0)
      await exited
    },
  }
}
