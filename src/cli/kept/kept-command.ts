import type { Instance } from '../../config/instance.ts'
import { wordsOf, type Kind } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import { chosenFor } from '../../platforms/selection/chosen.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import { problemLine } from '../../plugins/plugin-problem.ts'
import type { KeptContext } from '../../tasks/steps/kept.ts'
import type { StepOutcome } from '../../tasks/steps/run-steps.ts'
import { ConnectCommand } from '../command.ts'

/** A command that acts on the daemon or the hub, by the platform that the init hook has picked and loaded. */
export abstract class KeptCommand extends ConnectCommand {
  static override enableJsonFlag = true

  /** What it acts on. */
  protected abstract readonly kind: Kind

  /** @throws ConnectError PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED, PLATFORM_FAILED */
  protected contextOf<I extends Instance>(
    instance: I,
  ): { context: KeptContext & { readonly instance: I }; selection: Selection } {
    const { platform, ...selection } = chosenFor(this.config)
    for (const problem of selection.problems) this.printWarning(problemLine(problem))
    const { root, version } = this.config
    const context = {
      instance,
      platform,
      description: selection.description,
      root,
      version,
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
    const { kept } = wordsOf({ kind: this.kind })
    throw new ConnectError(
      'RUN_BY_SUDO',
      `With sudo this would be root’s ${kept}, and not that of ${SUDO_USER}`,
      {
        hints: [
          `Run it as yourself, without sudo: ${command}`,
          `If root’s ${kept} is what you want: sudo env -u SUDO_USER ${command}`,
        ],
      },
    )
  }
}
