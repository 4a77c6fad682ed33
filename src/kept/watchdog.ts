import path from 'node:path'
import { spawnUnlessAlive, type AliveWatch } from '../process/unless-alive.ts'
import type { WatchdogData } from './watchdog-end.ts'

export interface WatchdogOptions {
  /** Takes the line that tells why the process ends. */
  readonly logFile: string
  /** How long the event loop may be blocked, default 30 s. */
  readonly limitMs?: number
  /** How often it must show that it isn't, default 5 s. */
  readonly everyMs?: number
  /**
   * A file that is written just before the end, for whoever looks later; its time of change is the time
   * of the end.
   */
  readonly onBlockedWrite?: { readonly file: string; readonly content: string }
  /** There is no watchdog for now, and everything else goes on. Another one is started after the limit. */
  readonly onFailed: (error: Error) => void
}

export interface Watchdog {
  stop(): Promise<void>
}

/** Which part of the limit the last question takes. */
const ASKING = 1 / 6

/**
 * Ends this process by SIGABRT when its event loop is blocked for too long, so that it can be started again.
 * Nothing of this process runs then, so that is found by another one, which becomes watchdog-end.ts.
 */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { logFile, limitMs = 30_000, everyMs = 5000, onBlockedWrite, onFailed } = options
  const askMs = limitMs * ASKING
  const data: WatchdogData = { parent: process.pid, logFile, limitMs, askMs, onBlockedWrite }
  // The compiler rewrites endings in imports only.
  const program = path.join(import.meta.dirname, `watchdog-end${path.extname(import.meta.filename)}`)
  // Nothing that NODE_OPTIONS loads into this process has anything to do there.
  const env = { WATCHDOG: JSON.stringify(data) }
  let isStopped = false
  let hasFailed = false

  const watch = (): AliveWatch => {
    const started = performance.now()
    const onEnd = (error: Error) => {
      if (isStopped) return
      // One that has asked, and was answered, is followed by another at once.
      const isEarly = performance.now() - started < limitMs / 2
      if (isEarly && !hasFailed) onFailed(error)
      hasFailed = isEarly
      if (isEarly) retry = setTimeout(() => (current = watch()), limitMs).unref()
      else current = watch()
    }
    return spawnUnlessAlive([process.execPath, program], { waitMs: limitMs - askMs, env, onEnd })
  }
  const timer = setInterval(() => current.showLife(), everyMs)
  timer.unref()
  let retry: NodeJS.Timeout | undefined
  let current = watch()
  return {
    async stop() {
      isStopped = true
      clearInterval(timer)
      clearTimeout(retry)
      await current.stop()
    },
  }
}
