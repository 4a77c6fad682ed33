import { parseArgs } from 'node:util'
import { ensureInstanceFolder } from '../config/config.ts'
import { instanceFor, type AgentInstance } from '../config/instance.ts'
import { noteOwnEnd } from '../control/agent-end.ts'
import { formatRecord, type AgentEnd, type AgentRecord } from '../control/agent-record.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { openLogFile, type LogFile } from '../log/file/log-file.ts'
import type { Log } from '../log/log.ts'
import { handleUncaught, logBug } from '../log/uncaught.ts'
import { onEndSignal } from '../runtime/end-signals.ts'
import { explainOperationalError } from '../runtime/operational-error.ts'
import { printable } from '../text/printable.ts'
import { runAgent } from './agent.ts'
import { agentExitCode } from './exit-code.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/**
 * The kept-alive agent, as a platform starts it: `connect up --hub URL [--config FILE]` with
 * CONNECT_DAEMON=1. It bypasses the CLI, for a quick start and a small process.
 */
export async function runKeptAlive(argv: readonly string[], version: string): Promise<void> {
  process.umask(0o077)
  const prepared = prepare(argv)
  if (!prepared) return
  const { hub, instance, logFile } = prepared
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
    await runAgent(
      {
        instance,
        hub,
        mode: 'daemon',
        version,
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
    process.exitCode = agentExitCode(error)
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
function prepare(
  argv: readonly string[],
): { hub: string | undefined; instance: AgentInstance; logFile: LogFile } | undefined {
  try {
    const { config, hub } = readArguments(argv)
    const instance = instanceFor(config)
    ensureInstanceFolder(instance)
    return { hub, instance, logFile: openLogFile(instance.logFile) }
  } catch (error) {
    logError((line) => process.stderr.write(`${printable(line)}\n`), error)
    process.exitCode = agentExitCode(error)
    return undefined
  }
}

/** @throws ConnectError BAD_VALUE if someone has edited what a platform wrote, say */
function readArguments(argv: readonly string[]): { config?: string; hub?: string } {
  try {
    return parseArgs({
      args: [...argv],
      options: { config: { type: 'string' }, hub: { type: 'string' } },
    }).values
  } catch (error) {
    const [what] = messageOf(error).split('. ')
    throw new ConnectError(
      'BAD_VALUE',
      `The agent was started with a command line that it can’t use: ${what}`,
      {
        cause: error,
        hints: ['Have it written anew: connect daemon uninstall, then connect daemon install'],
      },
    )
  }
}

function logError(log: Log, thrown: unknown): void {
  const error = explainOperationalError(thrown)
  if (!(error instanceof ConnectError)) return logBug(log, error)
  for (const line of [`[x] ${error.message}`, ...error.hints.map((hint) => `  ${hint}`)]) log(line, 'error')
}

function watch(instance: AgentInstance, record: AgentRecord, log: Log): Watchdog {
  const reason = 'its event loop was blocked, and its watchdog ended it'
  const end: AgentEnd = { at: null, reason, code: null, signal: 'SIGABRT', fix: null }
  return startWatchdog({
    logFile: instance.logFile,
    onBlockedWrite: { file: instance.recordFile, content: formatRecord({ ...record, end }) },
    onFailed: (error) => log(`[!] There is no watchdog for now: ${error.message}`, 'warn'),
  })
}

/** For `daemon status`. The disk may be full: then only the log tells. */
function noteCrash(instance: AgentInstance, log: Log, error: unknown): void {
  try {
    const reason = `unexpected error: ${messageOf(error)}`
    noteOwnEnd(instance, { reason, code: 1, signal: null, fix: null })
  } catch (failure) {
    log(`[!] ${messageOf(failure)}`, 'warn')
  }
}
