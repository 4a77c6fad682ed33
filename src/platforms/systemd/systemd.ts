import { closeSync, existsSync, readdirSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import path from 'node:path'
import { tilde } from '../../config/tilde.ts'
import { clearStale, findAgent } from '../../control/find-agent.ts'
import { noteExit } from '../../control/started-agent.ts'
import { stopAgent } from '../../control/stop-agent.ts'
import { ConnectError } from '../../errors.ts'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import { openLog } from '../../process/spawn-detached.ts'
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
import { notesOf, stateOf } from './describe-unit.ts'
import { enableLingering, readLingering, setLingering } from './lingering.ts'
import { proveRunning } from './prove.ts'
import { clearTraces, readTraces } from './traces.ts'
import { UnitFile } from './unit-file.ts'
import { unitPlace, type UnitPlace } from './unit-place.ts'
import { isUp, UnitService } from './unit-service.ts'
import type { UnitState } from './unit-state.ts'
import { unitText } from './unit.ts'
import { UserManager } from './user-manager.ts'

/** How long a user manager that lingering starts may take, in ms. */
const MANAGER_MS = 10_000

const LINGER_COMMAND = 'sudo loginctl enable-linger "$USER"'

/** Keeps the agent as a service of this user's systemd. */
export class SystemdPlatform implements Platform {
  readonly #context: PlatformContext
  readonly #home = homedir()
  readonly #place: UnitPlace
  readonly #file: UnitFile
  readonly #manager: UserManager
  readonly #service: UnitService

  constructor(context: PlatformContext) {
    this.#context = context
    this.#place = unitPlace(context, this.#home)
    this.#file = new UnitFile(this.#place, this.#home)
    this.#manager = new UserManager(context.env)
    this.#service = new UnitService(this.#manager, this.#place)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { name, file } = this.#place
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
    const { change, before } = await this.#write(daemon)
    const isSame = change === 'unchanged' && before.active === 'active'
    const wasEnabled = before.file === 'enabled'
    if (!wasEnabled) await this.#service.enable()
    await this.#stopOther(before)
    if (!isSame) await this.#service.restart()
    const started = await proveRunning(this.#service, options)
    const refused = await enableLingering(this.#manager, this.#home)
    return {
      ...started,
      change: change === 'unchanged' && !(isSame && wasEnabled) ? 'updated' : change,
      file: this.#place.file,
      startsAt: refused === undefined ? 'boot' : 'login',
      warnings: [
        ...(refused === undefined ? [] : [lingeringRefused(refused)]),
        ...(process.getuid?.() === 0 ? ['You are root, so the daemon may do anything on this machine'] : []),
      ],
    }
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const { name, file } = this.#place
    const hasManager = await this.#manager.isThere()
    const before = hasManager ? await this.#service.mustLook() : undefined
    const isKnown = before !== undefined && (isUp(before) || before.load === 'loaded')
    if (!this.#file.isThere && !this.#file.isEnabled && !isKnown) return undefined
    const warnings: string[] = []
    if (hasManager) await this.#service.disable()
    else warnings.push('Your user manager does not run: only the files were removed')
    this.#file.disable()
    this.#file.remove()
    if (hasManager) {
      await this.#manager.systemctl('daemon-reload')
      await this.#service.forgetFailure()
      const after = await this.#service.look()
      if (!after || isUp(after)) {
        const message = `systemd still knows ${name} although its file is gone`
        throw new ConnectError('SERVICE_MANAGER_FAILED', message)
      }
    }
    const { dropIns } = this.#file
    if (dropIns !== undefined) warnings.push(`Settings of your own for it are still there: ${tilde(dropIns)}`)
    warnings.push(...(await this.#tidyUp()))
    return { removed: [file], warnings }
  }

  async start(daemon: Daemon, options: StartOptions): Promise<Started> {
    await this.#needManager()
    const { change } = await this.#write(daemon)
    await this.#service.restart()
    const started = await proveRunning(this.#service, options)
    return change === 'unchanged' ? started : { ...started, updated: this.#place.file }
  }

  async stop(): Promise<Termination | undefined> {
    const { instance } = this.#context
    // Without an answer it is not known to be down.
    const before = (await this.#manager.isThere()) ? await this.#service.mustLook() : undefined
    const wasUp = before !== undefined && isUp(before)
    let ended: Termination | undefined
    if (wasUp) {
      const { result } = await this.#service.stop()
      if (before.pid !== 0) ended = result === 'timeout' ? 'killed' : 'exited'
      if (ended === 'killed') {
        await noteExit(instance, before.pid, { code: null, signal: 'SIGKILL' })
        // That it was asked to end is no failure.
        await this.#service.forgetFailure()
      }
    }
    // One that was started in the background, before or beside it.
    return (await stopAgent(instance)) ?? ended
  }

  async status(): Promise<PlatformStatus> {
    const found = await findAgent(this.#context.instance)
    const agent = found.state === 'running' ? found.agent : undefined
    const unit = await this.#service.look()
    const startsAt = await this.#startsAt(unit)
    const known = {
      installed: this.#file.isThere,
      startsAt,
      ...(agent?.mode === 'foreground' && { foregroundPid: agent.pid }),
      ...(unit?.load === 'loaded' && { restarts: unit.restarts }),
    }
    if (unit && isUp(unit)) {
      return {
        ...known,
        ...stateOf(unit),
        ...(unit.pid !== 0 && { pid: unit.pid }),
        ...(agent && agent.pid === unit.pid && { startedAt: agent.startedAt }),
        notes: notesOf(unit),
      }
    }
    if (agent?.mode === 'daemon') {
      const { pid, startedAt } = agent
      const notes = ['It runs in the background and not as the service. Run: connect daemon restart']
      return { ...known, state: 'running', pid, startedAt, notes }
    }
    if (!unit && (await this.#manager.isThere()))
      return { ...known, state: 'unknown', reason: 'systemctl --user gives no answer that can be read' }
    const cleanedUp = found.state === 'stale' && (await clearStale(this.#context.instance))
    const state = unit ? stateOf(unit) : ({ state: 'stopped', reason: NO_MANAGER } as const)
    // Of one that is not installed there is nothing to say.
    const notes = unit && known.installed ? notesOf(unit) : []
    return { ...known, ...state, notes, ...(cleanedUp && { cleanedUp }) }
  }

  /** Lingering starts a manager where none runs: in a shell of su or cron, or for a user who never logs in. */
  async #needManager(): Promise<void> {
    if (await this.#manager.isThere()) return
    const refused = await enableLingering(this.#manager, this.#home)
    const timeoutMs = refused === undefined ? MANAGER_MS : 0
    if (await waitFor(async () => (await this.#manager.isThere()) || undefined, { timeoutMs })) return
    throw new ConnectError('SERVICE_MANAGER_FAILED', NO_MANAGER, {
      hints: [
        ...(refused === undefined ? [] : [`It could not be started: ${refused}`]),
        `Log in properly, not by su or sudo, or run: ${LINGER_COMMAND}`,
      ],
    })
  }

  /** Writes the unit if it differs, and has the manager read it. */
  async #write(daemon: Daemon): Promise<{ change: Installed['change']; before: UnitState }> {
    const before = await this.#service.mustLook()
    this.#refuseForeign(before)
    const wanted = unitText(daemon)
    const found = this.#file.read()
    // Else systemd would make it, for all to read.
    closeSync(openLog(daemon.logFile))
    const isSame = found === wanted && before.load === 'loaded' && !before.isOutdated
    if (isSame) return { change: 'unchanged', before }
    if (found !== wanted) {
      if (found) writeFileAtomic(this.#backupFile, found)
      this.#file.write(wanted)
    }
    await this.#service.reload()
    return { change: found === undefined ? 'created' : 'updated', before }
  }

  /** One that was started in the background would hold the agent's lock for ever. */
  async #stopOther({ pid }: UnitState): Promise<void> {
    const { instance } = this.#context
    const found = await findAgent(instance)
    if (found.state === 'running' && found.agent.pid !== pid) await stopAgent(instance)
  }

  /** What someone has written into the unit by hand isn't lost. */
  get #backupFile(): string {
    return path.join(this.#context.instance.folder, `${this.#place.name}.old`)
  }

  /** @throws ConnectError INSTALL_UNSUPPORTED where someone else has a say on the unit */
  #refuseForeign({ load }: UnitState): void {
    const { name, file } = this.#place
    const { link, isEmpty } = this.#file
    // systemd takes an empty file for masked too: that one is overwritten.
    if (link === '/dev/null' || (load === 'masked' && !isEmpty)) {
      throw new ConnectError('INSTALL_UNSUPPORTED', `${name} is masked: someone has forbidden to start it`, {
        hints: [`To allow it: systemctl --user unmask ${name}`, 'Then: connect daemon install'],
      })
    }
    if (link === undefined) return
    throw new ConnectError('INSTALL_UNSUPPORTED', `${tilde(file)} is a link to ${link}`, {
      hints: ['Whatever has put it there keeps the unit; remove the link first.'],
    })
  }

  async #startsAt(unit: UnitState | undefined): Promise<PlatformStatus['startsAt']> {
    const isEnabled = unit ? unit.file === 'enabled' : this.#file.isEnabled
    if (!isEnabled || !this.#file.isThere) return 'never'
    return (await readLingering(this.#manager)) === 'on' ? 'boot' : 'login'
  }

  /** Once no instance is installed any more: the folders and the lingering as they were. */
  async #tidyUp(): Promise<string[]> {
    const { folder } = this.#place
    const units = existsSync(folder) ? readdirSync(folder) : []
    if (units.some((name) => /^private-connect(-.*)?\.service$/.test(name))) return []
    const { lingering } = readTraces(this.#home)
    clearTraces(this.#home)
    const refused = lingering ? await setLingering(this.#manager, 'off') : undefined
    return refused === undefined ? [] : [`Lingering is still on: ${refused}`]
  }
}

const NO_MANAGER = 'Your user has no systemd of its own running (no user manager)'

function lingeringRefused(why: string): string {
  return `It starts only when you log in, and stops when you log out (${why}). To have it start on boot, run: ${LINGER_COMMAND}`
}
