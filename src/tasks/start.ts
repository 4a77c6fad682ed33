import { askAgent } from '../control/ask-agent.ts'
import { hubConnectionOf, type HubConnection } from '../control/hub-connection.ts'
import type { Daemon, PlatformStatus, Started } from '../platforms/platform.ts'
import type { Termination } from '../process/terminate.ts'
import { checkConfiguration } from './check-configuration.ts'
import type { DaemonContext } from './daemon-context.ts'
import { explainCrash, type Explained } from './explain-crash.ts'
import { withCommandLock } from './locks/command-lock.ts'
import { runSteps } from './run-steps.ts'
import { takeOver } from './take-over.ts'

/** Also the shape of `daemon start --json` and `daemon restart --json`. */
export interface StartReport {
  readonly outcome: 'started' | 'already running'
  readonly pid: number
  /** How the agent stands with the hub; null if it didn't say. */
  readonly hub: HubConnection | null
  /** The running agent's version; null if it didn't say. */
  readonly version: string | null
  /** What became of the daemon that ran before; null where none was stopped. */
  readonly stopped: Termination | null
  /** The file of the service manager that was written anew, because it differed; null if none was. */
  readonly updated: string | null
}

export interface StartDaemonOptions {
  /** What to do about a daemon that runs already: leave it, or stop it first. */
  readonly running: 'keep' | 'stop'
  /** Default 3000. */
  readonly stableMs?: number
  /** Told what the platform said before, once it is settled that a daemon is to be started. */
  readonly onStart?: (before: PlatformStatus) => void
}

/**
 * Starts the daemon, and looks whether it stays up.
 *
 * @param daemon see daemonOf
 * @throws ConnectError DAEMON_FAILED, AGENT_ELSEWHERE, AGENT_RUNNING for one in the foreground
 */
export async function startDaemon(
  context: DaemonContext,
  daemon: Daemon,
  options: StartDaemonOptions,
): Promise<StartReport> {
  return withCommandLock(context.instance, async () => {
    const { platform, interactive } = context
    const before = await platform.status()
    const isRestart = options.running === 'stop' && before.state !== 'stopped'
    const start = explainCrash(
      context,
      (watch) =>
        isRestart && platform.restart ? platform.restart(daemon, watch) : platform.start(daemon, watch),
      options.stableMs,
    )
    const takingOver = takeOver(context, before, { command: 'start', steps: start.steps })
    if (before.state === 'running' && before.pid !== undefined && options.running === 'keep') {
      const { pid } = before
      return { outcome: 'already running', pid, stopped: null, updated: null, ...(await sayOf(context)) }
    }
    const stop = isRestart && !platform.restart ? platform.stop(before) : undefined
    const onStart = () => options.onStart?.(before)
    const check = checkConfiguration(context, daemon, {
      plan: takingOver.endsAnother,
      onFine: () => interactive || onStart(),
    })
    // On a terminal, a line in between would get lost among those that move.
    if (interactive) onStart()
    await runSteps([check, ...(stop?.steps ?? []), ...takingOver.steps], context)
    const done = start.result()
    const { pid, updated = null, stopped = takingOver.result() ?? stop?.result() } = done
    const known = await knownOf(context, done)
    return { outcome: 'started', pid, stopped: stopped ?? null, updated, ...known }
  })
}

/**
 * What was seen is told: asked again, an agent that has died meanwhile would pass for one
 * that never answered.
 */
export async function knownOf(
  context: DaemonContext,
  { said }: Explained<Started>,
): Promise<Pick<StartReport, 'hub' | 'version'>> {
  return said ? { hub: hubConnectionOf(said), version: said.agent.version } : sayOf(context)
}

/** What the agent says of itself now. */
export async function sayOf({ instance }: DaemonContext): Promise<Pick<StartReport, 'hub' | 'version'>> {
  const { status, version } = await askAgent(instance)
  return { hub: status ? hubConnectionOf(status) : null, version }
}
