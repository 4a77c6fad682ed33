import { parseArgs } from 'node:util'
import { ensureInstanceFolder } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { runAgent } from './agent.ts'
import { agentExitCode } from './exit-code.ts'
import { fileLog } from './log.ts'

/**
 * The kept-alive agent, as a platform starts it: `connect up --hub URL [--config FILE]` with CONNECT_DAEMON=1. It
 * bypasses the CLI, for a quick start and a small process.
 */
export async function runKeptAlive(argv: readonly string[], version: string): Promise<void> {
  process.umask(0o077)
  const options = { config: { type: 'string' }, hub: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...argv], options })
  const instance = instanceFor(values.config)
  ensureInstanceFolder(instance)
  const log = fileLog(instance.logFile)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => {
      log(`Stopping: ${signal}`)
      stop.abort(signal)
    })
  }
  try {
    // A background process is started once, by someone who looks; anything else would start it again and again.
    const waitForOthers = process.env.CONNECT_SUPERVISOR !== 'background'
    await runAgent({ instance, hub: values.hub, mode: 'daemon', version, log, waitForOthers }, stop.signal)
    log('Stopped')
  } catch (error) {
    log(`[x] ${messageOf(error)}`, 'error')
    if (error instanceof ConnectError) for (const hint of error.hints) log(`  ${hint}`, 'error')
    else for (const line of (error as Error).stack?.split('\n') ?? []) log(line, 'error')
    process.exitCode = agentExitCode(error)
  }
  // Whoever sent the signal sees a process that ended by it.
  if (stop.signal.aborted) process.kill(process.pid, stop.signal.reason as NodeJS.Signals)
}
