import { ConnectError } from '../../errors.ts'
import type { Termination } from '../../process/terminate.ts'
import { userName } from '../../runtime/user-database.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import type {
  Action,
  Daemon,
  Installed,
  InstallPlan,
  Platform,
  PlatformContext,
  PlatformStatus,
  Started,
  StartOptions,
  Step,
  Uninstalled,
} from '../platform.ts'
import { stabilise, VERIFY } from '../stabilise.ts'
import { withRescue } from '../with-rescue.ts'
import { unitText } from './definition.ts'
import { installationOf, type Installation } from './installation.ts'
import { enableLingering } from './lingering.ts'
import { NO_MANAGER } from './manager.ts'
import { readPreviousUnit, type PreviousUnit } from './previous-unit.ts'
import { removeUnit, tidyUp } from './remove-unit.ts'
import { rollBack } from './rollback.ts'
import type { UnitState } from './state.ts'
import { installationStatus } from './status.ts'
import { stopUnit } from './stop-unit.ts'
import { isUp } from './unit-control.ts'
import { proofOf, watch } from './verify.ts'
import { changeOf, writeUnit } from './write-unit.ts'

/** How long a user manager that lingering starts may take, in ms. */
const MANAGER_MS = 10_000

const LINGER_COMMAND = 'sudo loginctl enable-linger "$USER"'

/** Keeps the agent as a service of this user's systemd. */
export class SystemdPlatform implements Platform {
  readonly #installation: Installation

  constructor(context: PlatformContext) {
    this.#installation = installationOf(context)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { name, file } = this.#installation.place
    const content = unitText(daemon)
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
    const { manager, control, home, place } = this.#installation
    let previous: PreviousUnit
    let change: Installed['change']
    let refused: string | undefined
    const isEnabled = () => previous.state.file === 'enabled'
    const start = this.#startSteps(
      options,
      () => change === 'unchanged' && previous.state.active === 'active',
    )
    return {
      steps: [
        this.#findManager,
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
        file: place.file,
        autostart: refused === undefined ? 'boot' : 'login',
        warnings: [
          ...(refused === undefined ? [] : [lingeringRefused(refused)]),
          ...(process.getuid?.() === 0
            ? ['You are root, so the daemon may do anything on this machine']
            : []),
        ],
      }),
    }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    let change: Installed['change']
    const start = this.#startSteps(options, () => false)
    return {
      steps: [
        this.#findManager,
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
          : { ...start.result(), updated: this.#installation.place.file },
    }
  }

  /** @param isRunning whether it runs already, by what it should */
  #startSteps(options: StartOptions, isRunning: () => boolean): Action<Started> {
    const { control } = this.#installation
    let watched: Started | undefined
    let started: Started
    return {
      steps: [
        {
          title: 'Ask systemd to start it',
          run: async () => (isRunning() ? { skipped: 'it runs' } : control.restart()),
        },
        { ...stabilise(options.stableMs), run: async () => void (watched = await watch(control, options)) },
        { title: VERIFY, run: async () => void (started = await proofOf(control, watched)) },
      ],
      result: () => started,
    }
  }

  stop(): Action<Termination | undefined> {
    return stopUnit(this.#installation)
  }

  uninstall(): Action<Uninstalled | undefined> {
    const { manager, control, file, place } = this.#installation
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
      result: () => (isThere ? { removed: [place.file], warnings } : undefined),
    }
  }

  status(): Promise<PlatformStatus> {
    return installationStatus(this.#installation)
  }

  /** Lingering starts a manager where none runs: in a shell of su or cron, or for a user who never logs in. */
  readonly #findManager: Step = {
    title: 'Find your user manager',
    run: async () => {
      const { manager, home } = this.#installation
      if (await manager.isThere()) return
      const refused = await enableLingering(manager, home)
      const timeoutMs = refused === undefined ? MANAGER_MS : 0
      if (await waitFor(async () => (await manager.isThere()) || undefined, { timeoutMs })) return
      throw new ConnectError('SERVICE_MANAGER_FAILED', NO_MANAGER, {
        hints: [
          ...(refused === undefined ? [] : [`It could not be started: ${refused}`]),
          `Log in properly, not by su or sudo, or run: ${LINGER_COMMAND}`,
        ],
      })
    },
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
