import { closeSync } from 'node:fs'
import { claimInstanceName, type Instance } from '../config/instance.ts'
import { tilde } from '../config/tilde.ts'
import { agentStatus } from '../control/client.ts'
import type { AgentStatus } from '../control/schema.ts'
import { ConnectError, ERRORS } from '../errors.ts'
import { prepareWrite } from '../files/atomic-write.ts'
import { LogFollower } from '../log/follower.ts'
import { displayLine } from '../log/line.ts'
import type {
  Daemon,
  PlatformStatus,
  Started,
  StartOptions as PlatformStartOptions,
} from '../platforms/platform.ts'
import { openLog } from '../process/spawn-detached.ts'
import type { Termination } from '../process/terminate.ts'
import { askAgent } from './ask-agent.ts'
import { withCommandLock } from './command-lock.ts'
import type { DaemonContext } from './daemon-context.ts'
import { hubStateOf, type HubState } from './hub-state.ts'
import { rememberProxy } from './remember-proxy.ts'
import { runSteps, type Step } from './run-steps.ts'

/** Also the shape of `daemon start --json` and `daemon restart --json`. */
export interface StartReport {
  readonly outcome: 'started' | 'already running'
  readonly pid: number
  /** How it stands with the hub; null if the agent didn't say. */
  readonly hub: HubState | null
  /** The running agent's version; null if it didn't say. */
  readonly version: string | null
  /** What became of the one that ran before; null where none was stopped. */
  readonly stopped: Termination | null
  /** The file of the service manager that was written anew, because it differed; null if none was. */
  readonly updated: string | null
}

export interface StartOptions {
  /** What to do about a daemon that runs already: leave it, or stop it first. */
  readonly running: 'keep' | 'stop'
  /** Default 3000, see the spec's "Startup Verification". */
  readonly stableMs?: number
  /** Told how it stood, once it is settled that a daemon is to be started. */
  readonly onStart?: (before: PlatformStatus) => void
}

const STABLE_MS = 3000
const CRASH_LINES = 10

/**
 * Starts the daemon, and looks whether it stays up.
 *
 * @param daemon see daemonOf
 * @throws ConnectError DAEMON_FAILED, AGENT_ELSEWHERE, AGENT_RUNNING for one in the foreground
 */
export async function startDaemon(
  context: DaemonContext,
  daemon: Daemon,
  options: StartOptions,
): Promise<StartReport> {
  return withCommandLock(context.instance, async () => {
    const before = await context.platform.status()
    if (before.foregroundPid !== undefined) {
      throw new ConnectError(
        'AGENT_RUNNING',
        `An agent runs in the foreground (PID: ${before.foregroundPid})`,
        {
          hints: ['End it with Ctrl-C where it runs, then run: connect daemon start'],
        },
      )
    }
    if (before.state === 'running' && before.pid !== undefined && options.running === 'keep') {
      const { pid } = before
      return { outcome: 'already running', pid, stopped: null, updated: null, ...(await sayOf(context)) }
    }
    rememberProxy(context.instance)
    claimInstanceName(context.instance)
    checkWritable(context.instance)
    const { platform } = context
    const isRestart = options.running === 'stop' && before.state !== 'stopped'
    let stopped: Termination | undefined
    let started: Explained<Started> | undefined
    const steps: Step[] = [
      {
        title: 'Start the agent',
        async run(retitle) {
          started = await explainFailure(
            context,
            (watch) =>
              isRestart && platform.restart ? platform.restart(daemon, watch) : platform.start(daemon, watch),
            options.stableMs,
          )
          retitle(
            `The agent runs (PID: ${started.pid})${started.ready ? ' and is connected to its hub' : ''}`,
          )
        },
      },
    ]
    if (isRestart && !platform.restart) {
      steps.unshift({
        title: 'Stop the running daemon',
        run: async () => void (stopped = await platform.stop()),
      })
    }
    options.onStart?.(before)
    await runSteps(steps, context)
    const { pid, updated = null } = started!
    stopped ??= started!.stopped
    const known = await knownOf(context, started!)
    return { outcome: 'started', pid, stopped: stopped ?? null, updated, ...known }
  })
}

/**
 * Before one that runs is stopped: on a full disk another could neither start nor say why.
 *
 * @throws ConnectError WRITE_FAILED
 */
function checkWritable({ recordFile, logFile }: Instance): void {
  prepareWrite(recordFile, ' '.repeat(4096)).discard()
  closeSync(openLog(logFile))
}

/** What the agent said of itself while it was started, if it did. */
export type Explained<T extends Started> = T & { readonly said: AgentStatus | undefined }

/**
 * Starts the daemon by a platform's method; if it ends at once, the error has the last lines of its log.
 *
 * @param stableMs default 3000, see the spec's "Startup Verification"
 */
export async function explainFailure<T extends Started>(
  { instance }: DaemonContext,
  start: (options: PlatformStartOptions) => Promise<T>,
  stableMs = STABLE_MS,
): Promise<Explained<T>> {
  let said: AgentStatus | undefined
  const isReady = async (pid: number) => {
    const status = await agentStatus(instance, 1000).catch(() => undefined)
    if (status?.agent.pid !== pid || status.hub.state !== 'connected') return false
    said = status
    return true
  }
  // From here on, and through a rotation that the start may bring.
  const log = new LogFollower(instance.logFile)
  try {
    return { ...(await start({ isReady, stableMs })), said }
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'DAEMON_FAILED') throw error
    const logged = [...log.look()].flatMap((news) => ('lines' in news ? news.lines : []))
    const lines = logged.slice(-CRASH_LINES).map((line) => `  ${displayLine(line)}`)
    throw new ConnectError('DAEMON_FAILED', error.message, {
      hints: [`Check logs: ${tilde(instance.logFile)}`, ...lines, ...ownHints(error)],
      cause: error,
    })
  } finally {
    log.close()
  }
}

/** What the platform has to say beyond what is true of every such end. */
function ownHints({ hints }: ConnectError): readonly string[] {
  return hints.filter((hint) => hint !== ERRORS.DAEMON_FAILED.fix)
}

/** What was seen is told: asked again, an agent that has died meanwhile would pass for one that never answered. */
export async function knownOf(
  context: DaemonContext,
  { said }: Explained<Started>,
): Promise<Pick<StartReport, 'hub' | 'version'>> {
  return said ? { hub: hubStateOf(said), version: said.agent.version } : sayOf(context)
}

/** What the agent says of itself now. */
export async function sayOf({ instance }: DaemonContext): Promise<Pick<StartReport, 'hub' | 'version'>> {
  const { status, version } = await askAgent(instance)
  return { hub: status ? hubStateOf(status) : null, version }
}
