import type { Kind } from '../../../config/kind.ts'
import type { PlatformContext, PluginDescription } from '../../platform.ts'

/** The platform that is to be proven, and what the suite cannot know of it. */
export interface ConformanceOptions {
  readonly description: PluginDescription
  /** What it is to keep: an agent, or the hub; default `agent`. */
  readonly kind?: Kind
  /** Whether the daemon can be installed into the platform, here and now; default true. */
  readonly installable?: boolean
  /**
   * What the platform finds its service manager by, such as SVDIR. Without this it gets PATH, HOME and a few
   * names of the user.
   */
  readonly env?: NodeJS.ProcessEnv
  /** Folders outside the throw-away HOME that the platform writes into, and nobody else meanwhile. */
  readonly writesTo?: readonly string[]
  /** How soon a daemon that was killed must be back, in ms; default 30 000. */
  readonly restartWithinMs?: number
  /**
   * How the agent ends under the platform when only a human can help; default 78. See
   * CONNECT_SUPERVISOR in kept/exit-code.ts.
   */
  readonly fatalExitCode?: number
  /**
   * Called for each instance at the end of a check, also of one that failed: to undo what the
   * platform did not.
   */
  readonly cleanUp?: (context: PlatformContext) => Promise<void>
}
