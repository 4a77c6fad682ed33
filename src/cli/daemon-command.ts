import { setTimeout as sleep } from 'node:timers/promises'
import { instanceFor } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { chosenFor } from '../platforms/selection/chosen.ts'
import type { Selection } from '../platforms/selection/select.ts'
import type { DaemonContext } from '../tasks/daemon-context.ts'
import { isOwnSshSession } from '../tasks/own-ssh-session.ts'
import type { StepOutcome } from '../tasks/run-steps.ts'
import { ConnectCommand } from './command.ts'
import { configFlag, hubFlag } from './flags.ts'

/** How long a warning may take to reach the terminal that is cut off then, in ms. */
const WARNING_TRAVEL_MS = 1000

/** A command that acts on the daemon, by the platform that the init hook has picked and loaded. */
export abstract class DaemonCommand extends ConnectCommand {
  static override enableJsonFlag = true
  static override baseFlags = { ...configFlag, ...hubFlag }

  /** @throws ConnectError PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED, PLATFORM_FAILED */
  protected contextFor(flags: { config?: string | undefined; hub?: string | undefined }): {
    context: DaemonContext
    selection: Selection
  } {
    const { platform, ...selection } = chosenFor(this.config)
    for (const warning of selection.warnings) this.printError(`[!] ${warning}`)
    const { root, version } = this.config
    const context = {
      instance: instanceFor(flags.config),
      platform,
      description: selection.description,
      root,
      version,
      hub: flags.hub,
      interactive: this.interactive,
      // DEBUG='*:daemon:*': which step was taken when, and what became of it.
      onStep: (title: string, outcome: StepOutcome, reason?: string) =>
        this.debug('%s: %s', title, reason === undefined ? outcome : `${outcome}, ${reason}`),
    }
    return { context, selection }
  }

  /**
   * For what changes anything: root's own daemon is for root's own login.
   *
   * @param words what was typed, as far as it matters
   * @throws ConnectError RUN_BY_SUDO
   */
  protected refuseSudo(words = (this.id ?? '').replaceAll(':', ' ')): void {
    const { SUDO_USER } = process.env
    if (process.getuid?.() !== 0 || !SUDO_USER || SUDO_USER === 'root') return
    const command = `connect ${words}`
    throw new ConnectError(
      'RUN_BY_SUDO',
      `With sudo this would be root’s daemon, and not that of ${SUDO_USER}`,
      {
        hints: [
          `Run it as yourself, without sudo: ${command}`,
          `If root’s daemon is what you want: sudo env -u SUDO_USER ${command}`,
        ],
      },
    )
  }

  /** Before a stop: whoever reaches this machine through its own daemon should know. */
  protected async warnIfCarried(context: DaemonContext, howLong: string): Promise<void> {
    if (!(await isOwnSshSession(context))) return
    this.printError(`[!] This shell comes through the daemon: it is cut off ${howLong}`)
    // On its way it passes the very daemon that is to be stopped.
    await sleep(WARNING_TRAVEL_MS)
  }
}
