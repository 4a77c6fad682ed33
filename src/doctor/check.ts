/**
 * How something that was looked at is. `unknown`: it could not be looked at, which says nothing of it;
 * `skipped`: there is nothing of the kind here.
 */
export type CheckState = 'ok' | 'warning' | 'failed' | 'unknown' | 'skipped'

/** What a check has seen. */
export type Finding = {
  state: CheckState
  /** What was seen, as a sentence without its full stop: never a secret, nor a control character. */
  seen: string
  /** The one command or action that mends it. Always there where `state` is `warning` or `failed`. */
  fix?: string
  /**
   * Mends it, and returns what was done, as a sentence; the check is then run once more, and what that
   * says counts. Only for what costs nobody anything: owners and modes of our files, stale files, lingering,
   * drift.
   */
  mend?: () => Promise<string>
}

/** The heads under which checks are told, in this order. */
export type CheckGroup = 'files' | 'machine' | 'daemon' | 'network' | 'hub' | 'services' | 'hub-here'

/**
 * One thing that doctor looks at. Nothing that `run` meets may end the others; of what it throws
 *
 * - a ConnectError is about the very thing that is looked at, which has `failed`; its `fix` is told;
 * - `Skipped` is `skipped`: there is nothing of the kind, or another check tells what it rests on;
 * - `Unseen`, the refusal of the machine (SYSTEM_FAILED), a bug, and no answer after
 *   `timeoutMs` are `unknown`.
 */
export type Check<Context> = {
  /** A stable word for `--json`: `tls-chain`. */
  name: string
  group: CheckGroup
  /** What a person reads beside the mark: `TLS certificate of the hub`. */
  title: string
  /** In ms; default 5,000. */
  timeoutMs?: number
  run(context: Context, signal: AbortSignal): Promise<Finding>
}
