import { noteSeenEnd } from '../../control/agent-end.ts'
import { findAgent } from '../../control/find-agent.ts'
import { stopAgent } from '../../control/stop-agent.ts'
import { ConnectError } from '../../errors.ts'
import type { Termination } from '../../process/terminate.ts'
import { userName } from '../../process/user-database.ts'
import { waitFor } from '../../process/wait.ts'
import type {
  Daemon,
  Installed,
  InstallPlan,
  Platform,
  PlatformContext,
  PlatformStatus,
  Started,
  StartOptions,
  Uninstalled,
} from '../platform.ts'
import { withHomeLock } from '../home-lock.ts'
import { installationOf, type Installation } from './installation.ts'
import { installationStatus } from './installation-status.ts'
import { formerUnit, type FormerUnit } from './former-unit.ts'
import { enableLingering } from './lingering.ts'
import { proveRunning } from './prove.ts'
import { putBack } from './put-back.ts'
import { changeOf, putUnit } from './put-unit.ts'
import { removeUnit } from './remove-unit.ts'
import { isUp } from './unit-service.ts'
import type { UnitState } from './unit-state.ts'
import { unitText } from './unit.ts'
import { NO_MANAGER } from './user-manager.ts'

/** How long a user manager that lingering starts may take, in ms. */
const MANAGER_MS = 10_000

const LINGER_COMMAND = 'sudo loginctl enable-linger "$USER"'

/** Keeps the agent as a service of this user's systemd. */
export class SystemdPlatform implements Platform {
  readonly #it: Installation

  constructor(context: PlatformContext) {
    this.#it = installationOf(context)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { name, file } = this.#it.place
    const content = unitText(daemon)
    const former = (await this.#it.manager.isThere()) ? await formerUnit(this.#it) : undefined
    const systemctl = (...args: string[]) => ['systemctl', '--user', ...args]
    return {
      ...(former && { change: withState(changeOf(former, content), former.state) }),
      files: [{ file, content }],
      commands: [
        systemctl('daemon-reload'),
        systemctl('reenable', name),
        systemctl('restart', name),
        ['loginctl', 'enable-linger', userName()],
      ],
    }
  }

  install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    return withHomeLock(this.#it.home, () => this.#install(daemon, options))
  }

  async #install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    await this.#needManager()
    const former = await formerUnit(this.#it)
    let started: Started
    let change: Installed['change']
    try {
      change = await this.#putInPlace(daemon, former)
      started = await proveRunning(this.#it.service, options)
    } catch (error) {
      throw await putBack(this.#it, former, error)
    }
    const refused = await enableLingering(this.#it.manager, this.#it.home)
    return {
      ...started,
      change,
      file: this.#it.place.file,
      startsAt: refused === undefined ? 'boot' : 'login',
      warnings: [
        ...(refused === undefined ? [] : [lingeringRefused(refused)]),
        ...(process.getuid?.() === 0 ? ['You are root, so the daemon may do anything on this machine'] : []),
      ],
    }
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const before = (await this.#it.manager.isThere()) ? await this.#it.service.mustLook() : undefined
    const isKnown = before !== undefined && (isUp(before) || before.load === 'loaded')
    if (!this.#it.file.isThere && !this.#it.file.isEnabled && !isKnown) return undefined
    const { home, place } = this.#it
    return {
      removed: [place.file],
      warnings: await withHomeLock(home, () => removeUnit(this.#it), { writes: false }),
    }
  }

  async start(daemon: Daemon, options: StartOptions): Promise<Started> {
    await this.#needManager()
    const change = await putUnit(this.#it, daemon, await formerUnit(this.#it))
    await this.#it.service.restart()
    const started = await proveRunning(this.#it.service, options)
    return change === 'unchanged' ? started : { ...started, updated: this.#it.place.file }
  }

  async stop(): Promise<Termination | undefined> {
    const { instance } = this.#it
    // Without an answer it is not known to be down.
    const before = (await this.#it.manager.isThere()) ? await this.#it.service.mustLook() : undefined
    const wasUp = before !== undefined && isUp(before)
    let ended: Termination | undefined
    if (wasUp) {
      const { result } = await this.#it.service.stop()
      ended = result === 'timeout' ? 'killed' : 'exited'
      if (ended === 'killed') {
        await noteSeenEnd(instance, before.pid, { code: null, signal: 'SIGKILL' })
        // That it was asked to end is no failure.
        await this.#it.service.forgetFailure()
      }
    }
    // One that was started in the background, before or beside it.
    return (await stopAgent(instance)) ?? ended
  }

  status(): Promise<PlatformStatus> {
    return installationStatus(this.#it)
  }

  /** @returns what had to be done */
  async #putInPlace(daemon: Daemon, former: FormerUnit): Promise<Installed['change']> {
    const change = await putUnit(this.#it, daemon, former)
    const isSame = change === 'unchanged' && former.state.active === 'active'
    const wasEnabled = former.state.file === 'enabled'
    if (!wasEnabled) await this.#it.service.enable()
    await this.#stopOther(former.state)
    if (!isSame) await this.#it.service.restart()
    return withState(change, former.state)
  }

  /** Lingering starts a manager where none runs: in a shell of su or cron, or for a user who never logs in. */
  async #needManager(): Promise<void> {
    if (await this.#it.manager.isThere()) return
    const refused = await enableLingering(this.#it.manager, this.#it.home)
    const timeoutMs = refused === undefined ? MANAGER_MS : 0
    if (await waitFor(async () => (await this.#it.manager.isThere()) || undefined, { timeoutMs })) return
    throw new ConnectError('SERVICE_MANAGER_FAILED', NO_MANAGER, {
      hints: [
        ...(refused === undefined ? [] : [`It could not be started: ${refused}`]),
        `Log in properly, not by su or sudo, or run: ${LINGER_COMMAND}`,
      ],
    })
  }

  /** One that was started in the background would hold the agent's lock for ever. */
  async #stopOther({ pid }: UnitState): Promise<void> {
    const { instance } = this.#it
    const found = await findAgent(instance)
    if (found.state === 'running' && found.agent.pid !== pid) await stopAgent(instance)
  }
}

/** A unit that is as it should be may still have to be started or enabled. */
function withState(change: Installed['change'], { active, file }: UnitState): Installed['change'] {
  return change === 'unchanged' && (active !== 'active' || file !== 'enabled') ? 'updated' : change
}

function lingeringRefused(why: string): string {
  return `It starts only when you log in, and stops when you log out (${why}). To have it start on boot, run: ${LINGER_COMMAND}`
}
