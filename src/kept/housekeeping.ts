import { existsSync } from 'node:fs'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { readProcessRecord, restoreProcessRecord, type ProcessRecord } from '../control/process-record.ts'
import { LOCAL_PACKAGE } from '../error-codes.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { readText } from '../files/read-text.ts'
import { LineLimiter } from '../log/line-limiter.ts'
import type { Log } from '../log/log.ts'
import { isAnotherRunning } from './another.ts'

export interface Housekeeping {
  /** Aborted with a ConnectError once there is nothing left to run for. */
  readonly givenUp: AbortSignal
  stop(): void
}

export interface HousekeepingOptions {
  readonly instance: Instance
  readonly record: ProcessRecord
  readonly log: Log
  /** Files without which it could never be started again, beside the program. */
  readonly needs?: readonly string[]
  /** Default 1,000. */
  readonly everyMs?: number | undefined
  /**
   * Holds what was taken for as long as it runs.
   *
   * @throws ConnectError AGENT_RUNNING or HUB_RUNNING if that is another's now; any other error is told, and
   * it is called again
   */
  readonly hold?: () => Promise<void>
  readonly onTick?: (() => void) | undefined
}

const EVERY_MS = 1000

/** How long the program and the like may be away, in looks: an upgrade takes them away for a moment. */
const PATIENCE = 30

/**
 * Looks after what an agent or a hub needs while it runs: what it holds, its record and PID file, if someone
 * has deleted them; its program and the like, without which it could never be started again.
 */
export function startHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { instance, record, log, needs = [], everyMs = EVERY_MS } = options
  const giveUp = new AbortController()
  const limiter = new LineLimiter({ everyMs: PATIENCE * everyMs })
  const needed = [record.script, ...needs]
  let goneSince: number | undefined
  let isLooking = false

  const look = async () => {
    const gone = needed.find((file) => !existsSync(file))
    goneSince = gone === undefined ? undefined : (goneSince ?? performance.now())
    if (goneSince !== undefined && performance.now() - goneSince >= PATIENCE * everyMs)
      throw programGone(instance, gone!)
    options.onTick?.()
    // The folder itself may be gone, and is not for us to make.
    if (gone !== undefined) return
    await options.hold?.()
    if (!isRecorded(instance, record)) restoreProcessRecord(instance, record)
  }
  const tick = async () => {
    if (isLooking) return
    isLooking = true
    try {
      await look()
    } catch (error) {
      const isGone = error instanceof ConnectError && error.code === 'PROGRAM_GONE'
      const text = `[!] ${messageOf(error)}`
      if (isGone || isAnotherRunning(error)) giveUp.abort(error)
      else
        limiter.write(
          text,
          (line) => log(line, 'warn'),
          () => text,
        )
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void tick(), everyMs)
  timer.unref()
  return { givenUp: giveUp.signal, stop: () => clearInterval(timer) }
}

function programGone(instance: Instance, file: string): ConnectError {
  const { process, command } = wordsOf(instance)
  return new ConnectError('PROGRAM_GONE', `${file} was deleted while the ${process} ran`, {
    hints: [`Install it again if that was not meant: ${LOCAL_PACKAGE}, then: ${command} restart`],
  })
}

function isRecorded(instance: Instance, { nonce, mode, pid }: ProcessRecord): boolean {
  if (readProcessRecord(instance)?.nonce !== nonce) return false
  if (mode !== 'daemon') return true
  return readText(instance.pidFile) === `${pid}\n`
}
