import type { Instance } from '../../config/instance.ts'
import { ERRORS } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import { LogFollower } from '../../log/file/follower.ts'
import { displayLine } from '../../log/line.ts'
import type { Action, Started, StartOptions } from '../../platforms/platform.ts'
import { withRescue } from '../../platforms/with-rescue.ts'
import { tilde } from '../../text/tilde.ts'
import type { Kept, KeptContext } from './kept.ts'

/** How long a start may take to stabilise, in ms. */
const STABLE_MS = 3000
const CRASH_LINES = 10

/** What the process said of itself while it was started, if it did. */
export type Explained<T extends Started, Said> = T & { readonly said: Said | undefined }

/**
 * A start, by a platform's method; if the process ends at once, the error has the last lines of its log.
 *
 * @param stableMs default 3000
 */
export function explainCrash<T extends Started, Said>(
  { instance }: KeptContext,
  { hear }: Kept<Said>,
  begin: (options: StartOptions) => Action<T>,
  stableMs = STABLE_MS,
): Action<Explained<T, Said>> {
  let said: Said | undefined
  let log: LogFollower | undefined
  const isReady = async (pid: number) => {
    const heard = await hear(pid)
    said = heard ?? said
    return heard !== undefined
  }
  const { steps, result } = begin({ isReady, stableMs })
  const followed = steps.map((step) => ({
    ...step,
    run: () => {
      // From the first step on, and through a rotation that the start may bring.
      log ??= new LogFollower(instance.logFile)
      return step.run()
    },
  }))
  return {
    steps: withRescue(followed, (error) => {
      const lines = [...(log?.look() ?? [])].flatMap((news) => ('lines' in news ? news.lines : []))
      log?.close()
      return withLastLines(error, instance, lines)
    }),
    result() {
      log?.close()
      return { ...result(), said }
    },
  }
}

function withLastLines(error: unknown, { logFile }: Instance, logged: readonly string[]): unknown {
  if (!(error instanceof ConnectError) || error.code !== 'DAEMON_FAILED') return error
  const lines = logged.slice(-CRASH_LINES).map((line) => `  ${displayLine(line)}`)
  return new ConnectError('DAEMON_FAILED', error.message, {
    hints: [`Check logs: ${tilde(logFile)}`, ...lines, ...ownHints(error)],
    cause: error,
  })
}

/** What the platform has to say beyond what is true of every such end. */
function ownHints({ hints }: ConnectError): readonly string[] {
  return hints.filter((hint) => hint !== ERRORS.DAEMON_FAILED.fix)
}
