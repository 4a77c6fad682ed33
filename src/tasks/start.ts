import { askAgent } from '../control/ask-agent.ts'
import { hubConnectionOf, type HubConnection } from '../control/hub-connection.ts'
import type { AgentStatus } from '../control/schema.ts'
import type { Daemon, PlatformStatus } from '../platforms/platform.ts'
import type { Termination } from '../process/terminate.ts'
import { checkConfiguration } from './steps/check-configuration.ts'
import { keptAgent, type DaemonContext } from './daemon-context.ts'
import { explainCrash } from './steps/explain-crash.ts'
import type { Kept, KeptContext } from './steps/kept.ts'
import { withAllLocks } from './locks/all-locks.ts'
import { withCommandLock } from './locks/command-lock.ts'
import { runSteps } from './steps/run-steps.ts'
import { takeOver } from './steps/take-over.ts'
import { undoOnFailure } from './steps/undo-on-failure.ts'

/** What came of a start of the daemon, or of the hub. */
export interface StartOutcome {
  readonly outcome: 'started' | 'already running'
  readonly pid: number
  /** What became of the one that ran before; null where none was stopped. */
  readonly stopped: Termination | null
  /** The file of the service manager that was written anew, because it differed; null if none was. */
  readonly updated: string | null
}

/** Also the shape of `daemon start --json` and `daemon restart --json`. */
export interface StartReport extends StartOutcome {
  /** How the agent stands with the hub; null if it didn't say. */
  readonly hub: HubConnection | null
  /** The running agent's version; null if it didn't say. */
  readonly version: string | null
}

export interface StartKeptOptions {
  /** What to do about one that runs already: leave it, or stop it first. */
  readonly running: 'keep' | 'stop'
  /** Default 3000. */
  readonly stableMs?: number
  /** Told what the platform said before, once it is settled that one is to be started. */
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
  options: StartKeptOptions,
): Promise<StartReport> {
  const { said, ...done } = await startKept(context, keptAgent(context.instance), daemon, options)
  const { outcome, pid, stopped, updated } = done
  return { outcome, pid, stopped, updated, ...(await knownOf(context, said)) }
}

/**
 * Starts the daemon or the hub, and looks whether it stays up. One whose settings have changed is started
 * anew.
 *
 * @throws ConnectError DAEMON_FAILED, AGENT_ELSEWHERE, AGENT_RUNNING for one in the foreground; of a hub
 * HUB_ELSEWHERE, HUB_RUNNING
 */
export async function startKept<Said>(
  context: KeptContext,
  kept: Kept<Said>,
  daemon: Daemon,
  options: StartKeptOptions,
): Promise<StartOutcome & { readonly said: Said | undefined }> {
  const withLocks = kept.isShared ? withAllLocks : withCommandLock
  return withLocks(context.instance, async () => {
    await kept.refuse?.()
    const { platform, interactive } = context
    const before = await platform.status()
    const isWanted = options.running === 'stop' || (kept.isChanged?.() ?? false)
    const isRestart = isWanted && before.state !== 'stopped'
    const start = explainCrash(
      context,
      kept,
      (watch) =>
        isRestart && platform.restart ? platform.restart(daemon, watch) : platform.start(daemon, watch),
      options.stableMs,
    )
    const takingOver = takeOver(context, before, { command: 'start', steps: start.steps })
    if (before.state === 'running' && before.pid !== undefined && !isWanted) {
      const { pid } = before
      return { outcome: 'already running', pid, stopped: null, updated: null, said: await kept.hear(pid) }
    }
    const stop = isRestart && !platform.restart ? platform.stop(before) : undefined
    const onStart = () => options.onStart?.(before)
    const check = checkConfiguration(context, kept, daemon, {
      plan: takingOver.endsAnother,
      onFine: () => interactive || onStart(),
    })
    // On a terminal, a line in between would get lost among those that move.
    if (interactive) onStart()
    const steps = [check, ...(stop?.steps ?? []), ...takingOver.steps]
    await runSteps(undoOnFailure(steps, context, kept, { daemon, before }), context)
    const { pid, said, ...done } = start.result()
    const { updated = null, stopped = takingOver.result() ?? stop?.result() ?? null } = done
    return { outcome: 'started', pid, stopped, updated, said }
  })
}

/**
 * What was seen is told: asked again, an agent that has died meanwhile would pass for one
 * that never answered.
 */
export async function knownOf(
  { instance }: DaemonContext,
  said: AgentStatus | undefined,
): Promise<Pick<StartReport, 'hub' | 'version'>> {
  if (said) return { hub: hubConnectionOf(said), version: said.agent.version }
  const { status, version } = await askAgent(instance)
  return { hub: status ? hubConnectionOf(status) : null, version }
}
