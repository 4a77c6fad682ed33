import type { Instance } from '../../config/instance.ts'
import { wordsOf, type KindWords } from '../../config/kind.ts'
import { noteSeenEnd } from '../../control/process-end.ts'
import { announceProcess } from '../../control/started-process.ts'
import { ConnectError } from '../../errors.ts'
import { identify } from '../../process/identity.ts'
import { describeExit, spawnDetached, type DetachedProcess, type Exit } from '../../process/spawn-detached.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import type { Action, Daemon, Started, StartOptions } from '../platform.ts'
import { stabilise, VERIFY } from '../stabilise.ts'

/**
 * Starts the agent as a detached process, and looks whether that stays.
 *
 * @throws ConnectError in a step: DAEMON_FAILED, NO_PROC, WRITE_FAILED
 */
export function startProcess(
  instance: Instance,
  daemon: Daemon,
  { isReady, stableMs }: StartOptions,
): Action<Started> {
  const words = wordsOf(instance)
  let child: DetachedProcess
  let exit: Exit | undefined
  let ready = false
  const ended = () => exit
  return {
    steps: [
      {
        title: `Spawn the ${words.process}`,
        async run() {
          const env = { ...withoutJobCookies(daemon.env), CONNECT_SUPERVISOR: 'background' }
          child = await spawnDetached({ ...daemon, env, subject: words.subject })
          void child.exited.then((seen) => (exit = seen))
          await announceProcess(instance, child.pid, daemon.command)
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
          // The process's parent, this one, is told of its end a moment later.
          const seen = await waitFor(ended, { timeoutMs: 1000 })
          if (!seen) throw failed(words, 'Process is gone')
          await noteSeenEnd(instance, child.pid, seen)
          throw failed(words, `Process ${describeExit(seen)}`)
        },
      },
    ],
    result: () => ({ pid: child.pid, ready }),
  }
}

/**
 * A build server ends what a job has left by the marks in its environment: GitHub's runner by
 * RUNNER_TRACKING_ID, Jenkins by its cookies (https://github.com/actions/runner, JobExtension.cs; Jenkins'
 * ProcessTreeKiller). Whoever starts a daemon wants it to stay.
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

function failed({ subject }: KindWords, why: string): ConnectError {
  return new ConnectError('DAEMON_FAILED', `${subject} failed to start: ${why}`)
}
