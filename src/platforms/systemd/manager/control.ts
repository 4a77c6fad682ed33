import { ConnectError } from '../../../errors.ts'
import { GRACE_PERIOD_MS } from '../../../process/grace-period.ts'
import { describeResult } from '../../../process/run.ts'
import { waitFor } from '../../../runtime/wait-for.ts'
import { tilde } from '../../../text/tilde.ts'
import type { UnitNames } from './names.ts'
import { readUnitState, type UnitState } from './state.ts'
import type { UserManager } from './systemctl.ts'

/** TimeoutStopSec of the unit, and some slack for the manager; in ms. */
const STOP_MS = GRACE_PERIOD_MS + 10_000

/** A unit as the manager has it: told what to do, and then looked at, whatever systemctl answered. */
export class UnitControl {
  readonly #manager: UserManager
  readonly #names: UnitNames

  constructor(manager: UserManager, names: UnitNames) {
    this.#manager = manager
    this.#names = names
  }

  /** @returns undefined if there is no manager, or its answer can't be read */
  async readState(): Promise<UnitState | undefined> {
    return this.#manager.hasSocket ? readUnitState(this.#manager, this.#names.name) : undefined
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED */
  async requireState(): Promise<UnitState> {
    const state = await this.readState()
    if (state) return state
    const message = `systemctl --user show ${this.#names.name} gives no answer that can be read`
    throw new ConnectError('SERVICE_MANAGER_FAILED', message)
  }

  /**
   * Has the manager read the file.
   *
   * @throws ConnectError SERVICE_MANAGER_FAILED if the manager can't, or doesn't take the unit
   */
  async reload(): Promise<UnitState> {
    await this.#manager.require('daemon-reload')
    const state = await this.requireState()
    if (state.load === 'loaded') return state
    throw new ConnectError(
      'SERVICE_MANAGER_FAILED',
      `systemd does not take the unit: it calls it ${state.load}`,
      { hints: [`See why: systemd-analyze --user verify ${tilde(this.#names.file)}`] },
    )
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED */
  async enable(): Promise<void> {
    const { name } = this.#names
    // `reenable` also fixes a link that leads elsewhere.
    await this.#manager.require('reenable', name)
    const { file } = await this.requireState()
    if (file === 'enabled') return
    throw new ConnectError(
      'SERVICE_MANAGER_FAILED',
      `systemctl --user enable ${name} said yes, but it is ${file || 'not'}`,
    )
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED */
  async restart(): Promise<void> {
    const { name } = this.#names
    await this.forgetFailure()
    const result = await this.#manager.systemctl('restart', name)
    // No answer in time is no failure: the state tells.
    if (result.outcome === 'timed out' || (result.outcome === 'exited' && result.code === 0)) return
    throw new ConnectError(
      'SERVICE_MANAGER_FAILED',
      `systemctl --user restart ${name} ${describeResult(result)}`,
    )
  }

  /** Asks the manager to stop the unit, and returns at once. Also ends the wait for the next start. */
  async askToStop(): Promise<void> {
    await this.#manager.systemctl('stop', '--no-block', this.#names.name)
  }

  /** Waits until the unit is down. @returns undefined if it is still up */
  async waitUntilDown(): Promise<UnitState | undefined> {
    const down = async () => {
      const state = await this.readState()
      return state && state.pid === 0 && !isUp(state) ? state : undefined
    }
    return waitFor(down, { timeoutMs: STOP_MS, everyMs: 100 })
  }

  /** Asks the manager to stop the unit, and waits until it is down. @throws ConnectError DAEMON_WONT_STOP */
  async stop(): Promise<void> {
    await this.askToStop()
    if (!(await this.waitUntilDown())) throw this.wontStop()
  }

  wontStop(): ConnectError {
    const { name } = this.#names
    return new ConnectError('DAEMON_WONT_STOP', `systemd has not stopped ${name}`, {
      hints: [`Look at it: systemctl --user status ${name}`],
    })
  }

  /** Disables the unit, and stops it. @throws ConnectError DAEMON_WONT_STOP */
  async disable(): Promise<void> {
    await this.#manager.systemctl('disable', '--now', this.#names.name)
    // Where the unit's file is gone, `disable --now` stops nothing.
    await this.stop()
  }

  /** Takes the unit off the list of failed ones. There may be nothing to forget. */
  async forgetFailure(): Promise<void> {
    await this.#manager.systemctl('reset-failed', this.#names.name)
  }
}

/** Whether the unit runs, or is about to. */
export function isUp({ active }: UnitState): boolean {
  return active !== 'inactive' && active !== 'failed'
}
