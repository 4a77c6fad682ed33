import { setTimeout as sleep } from 'node:timers/promises'
import { instanceFor } from '../../config/instance.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import type { DaemonContext } from '../../tasks/daemon-context.ts'
import { isUnused } from '../../tasks/machine/is-unused.ts'
import { isOwnSshSession } from '../../tasks/own-ssh-session.ts'
import { configFlag, hubFlag } from '../flags.ts'
import { KeptCommand } from './kept-command.ts'

/** How long a warning may take to reach the terminal that is cut off then, in ms. */
const WARNING_TRAVEL_MS = 1000

/** A command that acts on the daemon. */
export abstract class DaemonCommand extends KeptCommand {
  static override baseFlags = { ...configFlag, ...hubFlag }

  protected readonly kind = 'agent'

  /** @throws ConnectError PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED, PLATFORM_FAILED */
  protected contextFor(flags: { config?: string | undefined; hub?: string | undefined }): {
    context: DaemonContext
    selection: Selection
  } {
    const { context, selection } = this.contextOf(instanceFor(flags.config))
    return { context: { ...context, hub: flags.hub }, selection }
  }

  /** For a daemon that has nothing to do yet. */
  protected suggestUse({ instance }: DaemonContext): void {
    if (isUnused(instance))
      this.suggestNext('connect expose PORT --name NAME', 'what others offer: connect services')
  }

  /** Before a stop: whoever reaches this machine through its own daemon should know. */
  protected async warnIfCarried(context: DaemonContext, howLong: string): Promise<void> {
    if (!(await isOwnSshSession(context))) return
    this.printWarning(`This shell comes through the daemon: it is cut off ${howLong}`)
    // On its way it passes the very daemon that is to be stopped.
    await sleep(WARNING_TRAVEL_MS)
  }
}
