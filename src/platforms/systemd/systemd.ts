import type { Termination } from '../../process/terminate.ts'
import { userName } from '../../runtime/user-database.ts'
import type {
  Action,
  Daemon,
  Installed,
  InstallPlan,
  Lingering,
  Platform,
  PlatformContext,
  PlatformStatus,
  Started,
  StartOptions,
  StatusOptions,
  Step,
  Uninstalled,
} from '../platform.ts'
import { withRescue } from '../with-rescue.ts'
import { unitText } from './definition.ts'
import { enableLingering, tidyUp } from './install-receipt.ts'
import { installationOf, type Installation } from './installation.ts'
import { isUp } from './manager/control.ts'
import { LINGER_COMMAND, readLingering } from './manager/lingering.ts'
import type { UnitState } from './manager/state.ts'
import { readPreviousUnit, rollBack, type PreviousUnit } from './rollback.ts'
import { changeOf, findManager, startSteps, writeUnit } from './start.ts'
import { installationStatus } from './status.ts'
import { removeUnit, stopUnit } from './stop.ts'

/** Keeps the agent as a service of this user's systemd. */
export class SystemdPlatform implements Platform {
  readonly #installation: Installation
  readonly lingering: Lingering

  constructor(context: PlatformContext) {
    const { manager, home } = (this.#installation = installationOf(context))
    this.lingering = {
      read: () => readLingering(manager),
      enable: () => enableLingering(manager, home),
      command: LINGER_COMMAND,
    }
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { name, file, words } = this.#installation.names
    const content = unitText(daemon, words)
    const previous = (await this.#installation.manager.isThere())
      ? await readPreviousUnit(this.#installation)
      : undefined
    const systemctl = (...args: string[]) => ['systemctl', '--user', ...args]
    return {
      ...(previous && { change: withState(changeOf(previous, content), previous.state) }),
      files: [{ file, content }],
      commands: [
        systemctl('daemon-reload'),
        systemctl('reenable', name),
        systemctl('restart', name),
        ['loginctl', 'enable-linger', userName()],
      ],
    }
  }

  install(daemon: Daemon, options: StartOptions): Action<Installed> {
    const { manager, control, home, names } = this.#installation
    let previous: PreviousUnit
    let change: Installed['change']
    let refused: string | undefined
    const isEnabled = () => previous.state.file === 'enabled'
    const start = startSteps(
      this.#installation,
      options,
      () => change === 'unchanged' && previous.state.active === 'active',
    )
    return {
      steps: [
        findManager(this.#installation),
        {
          title: 'Look at what systemd has',
          run: async () => void (previous = await readPreviousUnit(this.#installation)),
        },
        ...withRescue(
          [
            {
              title: 'Write the unit',
              run: async () => {
                change = await writeUnit(this.#installation, daemon, previous)
                return change === 'unchanged' ? AS_IT_SHOULD_BE : undefined
              },
            },
            { title: 'Enable it', run: async () => (isEnabled() ? IS_ENABLED : control.enable()) },
            ...start.steps,
          ],
          (error) => rollBack(this.#installation, previous, error),
        ),
        {
          title: 'Have it start on boot',
          async run() {
            refused = await enableLingering(manager, home)
            return refused === undefined ? undefined : { skipped: refused }
          },
        },
      ],
      result: () => ({
        ...start.result(),
        change: withState(change, previous.state),
        file: names.file,
        autostart: refused === undefined ? 'boot' : 'login',
        warnings: [
          ...(refused === undefined ? [] : [lingeringRefused(refused)]),
          ...(process.getuid?.() === 0
            ? [`You are root, so the ${names.words.kept} may do anything on this machine`]
            : []),
        ],
      }),
    }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    let change: Installed['change']
    const start = startSteps(this.#installation, options, () => false)
    return {
      steps: [
        findManager(this.#installation),
        {
          title: 'Write the unit',
          run: async () => {
            change = await writeUnit(this.#installation, daemon, await readPreviousUnit(this.#installation))
            return change === 'unchanged' ? AS_IT_SHOULD_BE : undefined
          },
        },
        ...start.steps,
      ],
      result: () =>
        change === 'unchanged'
          ? start.result()
          : { ...start.result(), updated: this.#installation.names.file },
    }
  }

  stop(): Action<Termination | undefined> {
    return stopUnit(this.#installation)
  }

  uninstall(): Action<Uninstalled | undefined> {
    const { manager, control, file, names } = this.#installation
    let isThere = false
    let warnings: string[] = []
    const ifThere = (run: Step['run']) => async () => (isThere ? run() : { skipped: 'it is not installed' })
    return {
      steps: [
        {
          title: 'Look at what systemd has',
          async run() {
            const before = (await manager.isThere()) ? await control.requireState() : undefined
            const isKnown = before !== undefined && (isUp(before) || before.load === 'loaded')
            isThere = file.isThere || file.isEnabled || isKnown
          },
        },
        ...stopUnit(this.#installation).steps.map((step) => ({ ...step, run: ifThere(step.run) })),
        {
          title: 'Remove the unit',
          run: ifThere(async () => void (warnings = await removeUnit(this.#installation))),
        },
        {
          title: 'Leave folders and lingering as they were',
          run: ifThere(async () => void warnings.push(...(await tidyUp(this.#installation)))),
        },
      ],
      result: () => (isThere ? { removed: [names.file], warnings } : undefined),
    }
  }

  status(options?: StatusOptions): Promise<PlatformStatus> {
    return installationStatus(this.#installation, options)
  }
}

const AS_IT_SHOULD_BE = { skipped: 'it is as it should be' }
const IS_ENABLED = { skipped: 'it is enabled' }

/** A unit that is as it should be may still have to be started or enabled. */
function withState(change: Installed['change'], { active, file }: UnitState): Installed['change'] {
  return change === 'unchanged' && (active !== 'active' || file !== 'enabled') ? 'updated' : change
}

function lingeringRefused(why: string): string {
  return `It starts only when you log in, and stops when you log out (${why}). To have it start on boot, run: ${LINGER_COMMAND}`
}
