import type { Termination } from '../../process/terminate.ts'
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
  Uninstalled,
} from '../platform.ts'
import { bringUp, type BroughtUp } from './bring-up.ts'
import { installationOf, type Installation } from './installation.ts'
import { installationStatus } from './installation-status.ts'
import { plistText } from './plist.ts'
import { warnOfProtected } from './protected-folder.ts'
import type { Sighting } from './sighting.ts'
import { stopSteps } from './stop-steps.ts'
import { TIMING, type Timing } from './timing.ts'
import { clearTraces } from './traces.ts'
import { Unload } from './unload.ts'

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

  install(daemon: Daemon, options: StartOptions): Action<Installed> {
    const { place } = this.#it
    const { steps, result } = bringUp(this.#it, daemon, options)
    return {
      steps,
      result() {
        const { pid, ready, written, domain, isUntouched } = result()
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
            ...(process.getuid?.() === 0
              ? ['You are root, so the daemon may do anything on this machine']
              : []),
          ],
        }
      },
    }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    return this.#started(bringUp(this.#it, daemon, options))
  }

  restart(daemon: Daemon, options: StartOptions): Action<Started> {
    return this.#started(bringUp(this.#it, daemon, options, { anew: true }))
  }

  #started({ steps, result }: Action<BroughtUp>): Action<Started> {
    const { file } = this.#it.place
    return {
      steps,
      result() {
        const { pid, ready, written, stopped } = result()
        return { pid, ready, ...(written !== 'unchanged' && { updated: file }), ...(stopped && { stopped }) }
      },
    }
  }

  stop(): Action<Termination | undefined> {
    const unloading = new Unload(this.#it, this.#it.timing.totalMs)
    return {
      steps: stopSteps(this.#it, () => unloading),
      result: () => unloading.termination,
    }
  }

  uninstall(): Action<Uninstalled | undefined> {
    const { place, file } = this.#it
    let isThere = false
    const unloading = new Unload(this.#it)
    const nothing = { skipped: 'it is not installed' }
    return {
      steps: [
        {
          title: 'Look at what launchd has',
          run: async () => {
            const sighting = (await this.#look()).certain()
            isThere = !sighting.isAbsent || file.isThere
          },
        },
        // What can't be unloaded keeps its plist: without it nobody could tell what still runs.
        ...stopSteps(this.#it, () => (isThere ? unloading : nothing)),
        {
          title: 'Remove the plist',
          async run() {
            if (!isThere) return nothing
            file.put(undefined)
            clearTraces(place)
            return undefined
          },
        },
      ],
      result: () => (isThere ? { removed: [place.file], warnings: [] } : undefined),
    }
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
