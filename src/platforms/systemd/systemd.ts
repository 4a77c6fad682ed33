import { existsSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { tilde } from '../../config/tilde.ts'
import { findAgent } from '../../control/find-agent.ts'
import { noteExit } from '../../control/started-agent.ts'
import { stopAgent } from '../../control/stop-agent.ts'
import { ConnectError } from '../../errors.ts'
import type { Termination } from '../../process/terminate.ts'
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
import { installationOf, type Installation } from './installation.ts'
import { installationStatus } from './installation-status.ts'
import { enableLingering, setLingering } from './lingering.ts'
import { proveRunning } from './prove.ts'
import { putUnit } from './put-unit.ts'
import { clearTraces, readTraces } from './traces.ts'
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
    const systemctl = (...args: string[]) => ['systemctl', '--user', ...args]
    return {
      files: [{ file, content: unitText(daemon) }],
      commands: [
        systemctl('daemon-reload'),
        systemctl('reenable', name),
        systemctl('restart', name),
        ['loginctl', 'enable-linger', userInfo().username],
      ],
    }
  }

  async install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    await this.#needManager()
    const { change, before } = await putUnit(this.#it, daemon)
    const isSame = change === 'unchanged' && before.active === 'active'
    const wasEnabled = before.file === 'enabled'
    if (!wasEnabled) await this.#it.service.enable()
    await this.#stopOther(before)
    if (!isSame) await this.#it.service.restart()
    const started = await proveRunning(this.#it.service, options)
    const refused = await enableLingering(this.#it.manager, this.#it.home)
    return {
      ...started,
      change: change === 'unchanged' && !(isSame && wasEnabled) ? 'updated' : change,
      file: this.#it.place.file,
      startsAt: refused === undefined ? 'boot' : 'login',
      warnings: [
        ...(refused === undefined ? [] : [lingeringRefused(refused)]),
        ...(process.getuid?.() === 0 ? ['You are root, so the daemon may do anything on this machine'] : []),
      ],
    }
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const { name, file } = this.#it.place
    const hasManager = await this.#it.manager.isThere()
    const before = hasManager ? await this.#it.service.mustLook() : undefined
    const isKnown = before !== undefined && (isUp(before) || before.load === 'loaded')
    if (!this.#it.file.isThere && !this.#it.file.isEnabled && !isKnown) return undefined
    const warnings: string[] = []
    if (hasManager) await this.#it.service.disable()
    else warnings.push('Your user manager does not run: only the files were removed')
    this.#it.file.disable()
    this.#it.file.remove()
    if (hasManager) {
      await this.#it.manager.systemctl('daemon-reload')
      await this.#it.service.forgetFailure()
      const after = await this.#it.service.look()
      if (!after || isUp(after)) {
        const message = `systemd still knows ${name} although its file is gone`
        throw new ConnectError('SERVICE_MANAGER_FAILED', message)
      }
    }
    const { dropIns } = this.#it.file
    if (dropIns !== undefined) warnings.push(`Settings of your own for it are still there: ${tilde(dropIns)}`)
    warnings.push(...(await this.#tidyUp()))
    return { removed: [file], warnings }
  }

  async start(daemon: Daemon, options: StartOptions): Promise<Started> {
    await this.#needManager()
    const { change } = await putUnit(this.#it, daemon)
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
        await noteExit(instance, before.pid, { code: null, signal: 'SIGKILL' })
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

  /** Once no instance is installed any more: the folders and the lingering as they were. */
  async #tidyUp(): Promise<string[]> {
    const { folder } = this.#it.place
    const units = existsSync(folder) ? readdirSync(folder) : []
    if (units.some((name) => /^private-connect(-.*)?\.service$/.test(name))) return []
    const { lingering } = readTraces(this.#it.home)
    clearTraces(this.#it.home)
    const refused = lingering ? await setLingering(this.#it.manager, 'off') : undefined
    return refused === undefined ? [] : [`Lingering is still on: ${refused}`]
  }
}

function lingeringRefused(why: string): string {
  return `It starts only when you log in, and stops when you log out (${why}). To have it start on boot, run: ${LINGER_COMMAND}`
}
