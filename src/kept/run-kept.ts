import type { Instance } from '../config/instance.ts'
import { noteOwnEnd } from '../control/process-end.ts'
import { formatRecord, type ProcessEnd, type ProcessRecord } from '../control/process-record.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { openLogFile, type LogFile } from '../log/file/log-file.ts'
import type { Log } from '../log/log.ts'
import { handleUncaught, logBug } from '../log/uncaught.ts'
import { onEndSignal } from '../runtime/end-signals.ts'
import { explainOperationalError } from '../runtime/operational-error.ts'
import { printable } from '../text/printable.ts'
import { keptExitCode } from './exit-code.ts'
import type { OwnerOptions } from './owner.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/** An agent or a hub that is to be run. Its folder is there. */
export interface Kept {
  readonly instance: Instance
  /** To be an owner, see owner.ts. */
  run(options: Omit<OwnerOptions, 'version'>, signal: AbortSignal): Promise<void>
}

/**
 * Is this process, where something keeps it alive: it writes its own log, ends with a code that says whether
 * another start is of use, and is ended by a watchdog should it hang.
 *
 * @param prepare says what to run, or throws why that can't be
 */
export async function runKept(prepare: () => Kept): Promise<void> {
  process.umask(0o077)
  const prepared = withLog(prepare)
  if (!prepared) return
  const { kept, logFile } = prepared
  const { instance } = kept
  const log = logFile.write
  const stop = new AbortController()
  const stopListening = onEndSignal((signal) => {
    log(`Stopping: ${signal}`)
    stop.abort(signal)
  })
  let isOwner = false
  let watchdog: Watchdog | undefined
  handleUncaught(log, (error) => {
    if (isOwner) noteCrash(instance, log, error)
    process.exit(1)
  })
  try {
    await kept.run(
      {
        instance,
        mode: 'daemon',
        log,
        // A background process is started once, by someone who looks; anything else would start it
        // again and again.
        waitForOthers: process.env.CONNECT_SUPERVISOR !== 'background',
        onOwner(record) {
          isOwner = true
          logFile.takeOver()
          watchdog = watch(instance, record, log)
        },
        onUpkeep: () => logFile.housekeeping(),
      },
      stop.signal,
    )
    log('Stopped')
  } catch (error) {
    logError(log, error)
    process.exitCode = keptExitCode(error)
  }
  await watchdog?.stop()
  stopListening()
  // Whoever sent the signal sees a process that ended by it.
  if (stop.signal.aborted) process.kill(process.pid, stop.signal.reason as NodeJS.Signals)
  // Left to itself Node.js 24 now and then spins for ever as it closes what is left open. Every line is
  // written by now.
  process.exit()
}

/** Without a log there is nowhere to say so but stderr: whoever keeps this process alive may keep that. */
function withLog(prepare: () => Kept): { kept: Kept; logFile: LogFile } | undefined {
  try {
    const kept = prepare()
    return { kept, logFile: openLogFile(kept.instance.logFile) }
  } catch (error) {
    logError((line) => process.stderr.write(`${printable(line)}\n`), error)
    process.exitCode = keptExitCode(error)
    return undefined
  }
}

function logError(log: Log, thrown: unknown): void {
  const error = explainOperationalError(thrown)
  if (!(error instanceof ConnectError)) return logBug(log, error)
  for (const line of [`[x] ${error.message}`, ...error.hints.map((hint) => `  ${hint}`)]) log(line, 'error')
}

function watch(instance: Instance, record: ProcessRecord, log: Log): Watchdog {
  const reason = 'its event loop was blocked, and its watchdog ended it'
  const end: ProcessEnd = { at: null, reason, code: null, signal: 'SIGABRT', fix: null }
  return startWatchdog({
    logFile: instance.logFile,
    onBlockedWrite: { file: instance.recordFile, content: formatRecord({ ...record, end }) },
    onFailed: (error) => log(`[!] There is no watchdog for now: ${error.message}`, 'warn'),
  })
}

/** For `status`. The disk may be full: then only the log tells. */
function noteCrash(instance: Instance, log: Log, error: unknown): void {
  try {
    const reason = `unexpected error: ${messageOf(error)}`
    noteOwnEnd(instance, { reason, code: 1, signal: null, fix: null })
  } catch (failure) {
    log(`[!] ${messageOf(failure)}`, 'warn')
  }
}
