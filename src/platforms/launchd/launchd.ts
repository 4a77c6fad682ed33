import { stopAgent } from '../../control/stop-agent.ts'
import type { Termination } from '../../process/terminate.ts'
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
import { bringUp } from './bring-up.ts'
import { withHomeLock } from '../home-lock.ts'
import { installationOf, type Installation } from './installation.ts'
import { installationStatus } from './installation-status.ts'
import { plistText } from './plist.ts'
import { warnOfProtected } from './protected-folder.ts'
import type { Sighting } from './sighting.ts'
import { TIMING, type Timing } from './timing.ts'
import { clearTraces } from './traces.ts'
import { unloadAndNote } from './unload-and-note.ts'

/** Keeps the agent as a job of this user's launchd. */
export class LaunchdPlatform implements Platform {
  readonly #it: Installation

  /** @param timing tests have one of their own */
  constructor(context: PlatformContext, timing: Timing = TIMING) {
    this.#it = installationOf(context, timing)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { label, file, domains } = this.#it.place
    this.#it.file.checkIsOurs()
    const [domain = domains[0]!] = (await this.#look()).domains
    const target = `${domain}/${label}`
    const content = plistText(daemon, label)
    return {
      change: await this.#changeOf(content),
      files: [{ file, content }],
      commands: [
        ['launchctl', 'enable', target],
        ['launchctl', 'bootstrap', domain, file],
        ['launchctl', 'kickstart', target],
      ],
    }
  }

  /** What the job runs by is what lies on the disk if status has nothing to say against it. */
  async #changeOf(wanted: string): Promise<Installed['change']> {
    const found = this.#it.file.read()
    if (found === undefined) return 'created'
    const { state, notes = [] } = await this.status()
    return found === wanted && state === 'running' && notes.length === 0 ? 'unchanged' : 'updated'
  }

  async install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    const { place } = this.#it
    const { pid, ready, written, domain, isUntouched } = await bringUp(this.#it, daemon, options)
    const isProtected = warnOfProtected(daemon, place.home)
    return {
      pid,
      ready,
      change: written === 'unchanged' && !isUntouched ? 'updated' : written,
      file: place.file,
      startsAt: 'login',
      warnings: [
        ...(domain === place.domains[0] ? [] : [NO_SCREEN]),
        ...(isProtected === undefined ? [] : [isProtected]),
        ...(process.getuid?.() === 0 ? ['You are root, so the daemon may do anything on this machine'] : []),
      ],
    }
  }

  async start(daemon: Daemon, options: StartOptions): Promise<Started> {
    const { pid, ready, written } = await bringUp(this.#it, daemon, options)
    return { pid, ready, ...(written !== 'unchanged' && { updated: this.#it.place.file }) }
  }

  async restart(daemon: Daemon, options: StartOptions): Promise<Started> {
    const { pid, ready, written, stopped } = await bringUp(this.#it, daemon, options, { anew: true })
    const updated = written !== 'unchanged' && { updated: this.#it.place.file }
    return { pid, ready, ...updated, ...(stopped && { stopped }) }
  }

  async stop(): Promise<Termination | undefined> {
    await this.#look()
    const ended = await unloadAndNote(this.#it)
    // One that was started in the background, before or beside it.
    return (await stopAgent(this.#it.instance)) ?? ended
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const { place, file } = this.#it
    const sighting = (await this.#look()).certain()
    if (sighting.isAbsent && !file.isThere) return undefined
    const remove = async () => {
      // What can't be unloaded keeps its plist: without it nobody could tell what still runs.
      await unloadAndNote(this.#it)
      file.put(undefined)
      clearTraces(place)
    }
    await withHomeLock(place.home, remove, { writes: false })
    return { removed: [place.file], warnings: [] }
  }

  status(): Promise<PlatformStatus> {
    this.#it.launchctl.limit(this.#it.timing.totalMs)
    return installationStatus(this.#it)
  }

  /** From here on the clock runs. */
  #look(): Promise<Sighting> {
    this.#it.launchctl.limit(this.#it.timing.totalMs)
    return this.#it.control.look()
  }
}

const NO_SCREEN =
  'You are not logged in at the screen: it runs until this Mac is restarted, and then from your next login there'
