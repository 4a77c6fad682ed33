import type { Instance } from '../../config/instance.ts'
import { clearStale, noteSeenEnd } from '../../control/agent-end.ts'
import { findAgent } from '../../control/find-agent.ts'
import { announceAgent } from '../../control/started-agent.ts'
import { agentElsewhere, stopAgent } from '../../control/stop-agent.ts'
import { ConnectError, ERRORS } from '../../errors.ts'
import { identify } from '../../process/identity.ts'
import { describeExit, spawnDetached, type Exit } from '../../process/spawn-detached.ts'
import type { Termination } from '../../process/terminate.ts'
import { waitFor } from '../../process/wait.ts'
import type { Daemon, Platform, PlatformContext, PlatformStatus, Started, StartOptions } from '../platform.ts'

/** It is not there after a reboot, and nobody starts it again. */
const NEVER = { installed: false, startsAt: 'never' } as const

/** Keeps the agent as a detached process, found again by the record that it writes of itself. */
export class BackgroundPlatform implements Platform {
  readonly #instance: Instance

  constructor({ instance }: PlatformContext) {
    this.#instance = instance
  }

  async install(): Promise<never> {
    throw new ConnectError('INSTALL_UNSUPPORTED', 'A background process can’t be installed')
  }

  async uninstall(): Promise<undefined> {
    return undefined
  }

  async start(daemon: Daemon, { isReady, stableMs }: StartOptions): Promise<Started> {
    const found = await findAgent(this.#instance)
    if (found.state === 'unknown') throw agentElsewhere(found.reason)
    const child = await spawnDetached({
      ...daemon,
      env: { ...withoutJobCookies(daemon.env), CONNECT_SUPERVISOR: 'background' },
    })
    let exit: Exit | undefined
    const ended = () => exit
    void child.exited.then((seen) => (exit = seen))
    await announceAgent(this.#instance, child.pid, daemon.command)
    const outcome = await waitFor(async () => ended() ?? ((await isReady(child.pid)) ? 'ready' : undefined), {
      timeoutMs: stableMs,
    })
    if (identify(child.pid)) return { pid: child.pid, ready: outcome === 'ready' }
    // Its parent, this process, is told a moment later.
    const seen = await waitFor(ended, { timeoutMs: 1000 })
    if (!seen) throw failed('Process is gone')
    await noteSeenEnd(this.#instance, child.pid, seen)
    throw failed(`Process ${describeExit(seen)}`)
  }

  stop(): Promise<Termination | undefined> {
    return stopAgent(this.#instance)
  }

  async status(): Promise<PlatformStatus> {
    const found = await findAgent(this.#instance)
    if (found.state === 'unknown')
      return { ...NEVER, state: 'unknown', reason: `${found.reason}. ${ERRORS.AGENT_ELSEWHERE.fix}` }
    if (found.state === 'stale')
      return { ...NEVER, state: 'stopped', cleanedUp: await clearStale(this.#instance) }
    if (found.state === 'none') return { ...NEVER, state: 'stopped' }
    const { pid, startedAt, mode } = found.agent
    if (mode === 'foreground') return { ...NEVER, state: 'stopped', foregroundPid: pid }
    return { ...NEVER, state: 'running', pid, startedAt }
  }
}

/**
 * A build server ends what a job has left by the marks in its environment: GitHub's runner by RUNNER_TRACKING_ID,
 * Jenkins by its cookies (https://github.com/actions/runner, JobExtension.cs; Jenkins' ProcessTreeKiller). Whoever
 * starts a daemon wants it to stay.
 */
function withoutJobCookies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    RUNNER_TRACKING_ID: _github,
    JENKINS_NODE_COOKIE: _node,
    JENKINS_SERVER_COOKIE: _server,
    ...rest
  } = env
  return rest
}

function failed(why: string): ConnectError {
  return new ConnectError('DAEMON_FAILED', `Daemon failed to start: ${why}`)
}
