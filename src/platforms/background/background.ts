import type { Instance } from '../../config/instance.ts'
import { clearStale, noteSeenEnd } from '../../control/agent-end.ts'
import { findAgent } from '../../control/find-agent.ts'
import { announceAgent } from '../../control/started-agent.ts'
import { ConnectError, ERRORS } from '../../errors.ts'
import { identify } from '../../process/identity.ts'
import { describeExit, spawnDetached, type DetachedProcess, type Exit } from '../../process/spawn-detached.ts'
import type { Termination } from '../../process/terminate.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { endAgent } from '../end-agent.ts'
import type {
  Action,
  Daemon,
  Platform,
  PlatformContext,
  PlatformStatus,
  Started,
  StartOptions,
} from '../platform.ts'
import { stabilise, VERIFY } from '../stabilise.ts'

/** A background process is not there after a reboot, and nobody starts it again. */
const NEVER = { installed: false, autostart: 'never' } as const

/** Keeps the agent as a detached process, found again by the record that it writes of itself. */
export class BackgroundPlatform implements Platform {
  readonly #instance: Instance

  constructor({ instance }: PlatformContext) {
    this.#instance = instance
  }

  install(): never {
    throw new ConnectError('INSTALL_UNSUPPORTED', 'A background process can’t be installed')
  }

  uninstall(): Action<undefined> {
    return { steps: [], result: () => undefined }
  }

  start(daemon: Daemon, { isReady, stableMs }: StartOptions): Action<Started> {
    const instance = this.#instance
    let child: DetachedProcess
    let exit: Exit | undefined
    let ready = false
    const ended = () => exit
    return {
      steps: [
        {
          title: 'Spawn the agent',
          async run() {
            const env = { ...withoutJobCookies(daemon.env), CONNECT_SUPERVISOR: 'background' }
            child = await spawnDetached({ ...daemon, env })
            void child.exited.then((seen) => (exit = seen))
            await announceAgent(instance, child.pid, daemon.command)
          },
        },
        {
          ...stabilise(stableMs),
          async run() {
            const look = async () => ended() ?? ((await isReady(child.pid)) ? 'ready' : undefined)
            ready = (await waitFor(look, { timeoutMs: stableMs })) === 'ready'
          },
        },
        {
          title: VERIFY,
          async run() {
            if (identify(child.pid)) return
            // Its parent, this process, is told a moment later.
            const seen = await waitFor(ended, { timeoutMs: 1000 })
            if (!seen) throw failed('Process is gone')
            await noteSeenEnd(instance, child.pid, seen)
            throw failed(`Process ${describeExit(seen)}`)
          },
        },
      ],
      result: () => ({ pid: child.pid, ready }),
    }
  }

  stop(found: PlatformStatus): Action<Termination | undefined> {
    return endAgent(this.#instance, found)
  }

  async status(): Promise<PlatformStatus> {
    const found = await findAgent(this.#instance)
    if (found.state === 'unknown')
      return {
        ...NEVER,
        state: 'unknown',
        reason: `${found.reason}. ${ERRORS.AGENT_ELSEWHERE.fix}`,
        background: found,
      }
    if (found.state === 'stale')
      return { ...NEVER, state: 'stopped', cleanedUp: await clearStale(this.#instance) }
    if (found.state === 'none') return { ...NEVER, state: 'stopped' }
    const { pid, startedAt, mode } = found.agent
    if (mode === 'foreground') return { ...NEVER, state: 'stopped', foregroundPid: pid }
    return { ...NEVER, state: 'running', pid, startedAt, background: found }
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
