import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../../errors.ts'
import { GRACE_PERIOD_MS } from '../../../process/grace-period.ts'
import { describeResult, run, type RunResult } from '../../../process/run.ts'

/** The longest that an answer may take, in ms. */
const ASK_MS = 5000

/** The longest that an action may take, in ms: stopping a unit takes up to its TimeoutStopSec. */
const ACT_MS = GRACE_PERIOD_MS + 10_000

const SYSTEMCTL = ['systemctl', '--user', '--no-ask-password', '--no-pager'] as const

export const NO_MANAGER = 'Your user has no systemd of its own running (no user manager)'

/** This user's own systemd, spoken to by systemctl(1). */
export class UserManager {
  readonly #env: NodeJS.ProcessEnv

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env
  }

  /** Asks `systemctl --user` for what it knows. */
  ask(...args: string[]): Promise<RunResult> {
    return this.run([...SYSTEMCTL, ...args], ASK_MS)
  }

  /**
   * Has `systemctl --user` do something. What it answers is for the caller to read: a time-out is no failure,
   * but a question that only the state can answer.
   */
  systemctl(...args: string[]): Promise<RunResult> {
    return this.run([...SYSTEMCTL, ...args], ACT_MS)
  }

  /** Any other program that speaks to this user's manager. */
  run(command: readonly [string, ...string[]], timeoutMs = ASK_MS): Promise<RunResult> {
    return run(command, { env: this.#environment(), timeoutMs })
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED unless it exits 0 */
  async require(...args: string[]): Promise<void> {
    const result = await this.systemctl(...args)
    if (result.outcome === 'exited' && result.code === 0) return
    throw new ConnectError(
      'SERVICE_MANAGER_FAILED',
      `systemctl --user ${args.join(' ')} ${describeResult(result)}`,
    )
  }

  /** Whether there is a socket of a manager of this user, which may be gone. */
  get hasSocket(): boolean {
    return this.#runtimeFolder() !== undefined
  }

  /** Whether a manager runs: its socket outlives it. A manager that does not answer as it should does run. */
  async isThere(): Promise<boolean> {
    if (!this.hasSocket) return false
    const { outcome, code, stdout } = await this.ask('is-system-running')
    // systemctl exits 1 for many a state that is well enough, but then names it.
    return outcome !== 'exited' || code === 0 || !['', 'offline'].includes(stdout.trim())
  }

  /** su, cron and some ssh servers leave XDG_RUNTIME_DIR unset, su without - leaves another user's. */
  #environment(): NodeJS.ProcessEnv {
    const folder = this.#runtimeFolder()
    const env: NodeJS.ProcessEnv = { ...this.#env, LC_ALL: 'C', SYSTEMD_COLORS: '0' }
    if (folder === undefined || folder === env.XDG_RUNTIME_DIR) return env
    // That variable leads to the bus of the folder's owner, who may be another user.
    const { DBUS_SESSION_BUS_ADDRESS: _, ...others } = env
    return { ...others, XDG_RUNTIME_DIR: folder }
  }

  /** The XDG_RUNTIME_DIR where a manager of this user listens. */
  #runtimeFolder(): string | undefined {
    const uid = process.getuid?.()
    const candidates = [this.#env.XDG_RUNTIME_DIR, `/run/user/${uid}`]
    return candidates.find(
      (folder) =>
        folder !== undefined &&
        path.isAbsolute(folder) &&
        existsSync(path.join(folder, 'systemd', 'private')) &&
        statSync(folder, { throwIfNoEntry: false })?.uid === uid,
    )
  }
}
