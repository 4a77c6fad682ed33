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
  StatusOptions,
  Uninstalled,
} from '../platform.ts'
import { plistText } from './definition.ts'
import { clearReceipt } from './install-receipt.ts'
import { installationOf, type Installation } from './installation.ts'
import { TIMING, type Timing } from './manager/launchctl.ts'
import type { JobLookup } from './manager/lookup.ts'
import { bringUp, type BroughtUp } from './start.ts'
import { installationStatus } from './status.ts'
import { stopSteps, Unload } from './stop.ts'
import { warnOfProtected } from './verify.ts'

/** Keeps the agent as a job of this user's launchd. */
export class LaunchdPlatform implements Platform {
  readonly #installation: Installation

  /** @param timing tests have one of their own */
  constructor(context: PlatformContext, timing: Timing = TIMING) {
    this.#installation = installationOf(context, timing)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { label, file, domains, home } = this.#installation.names
    this.#installation.file.checkIsOurs()
    const isProtected = warnOfProtected(daemon, home)
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
      ...(isProtected !== undefined && { warnings: [isProtected] }),
    }
  }

  /** What the job runs by is what lies on the disk if status has nothing to say against it. */
  async #changeOf(wanted: string): Promise<Installed['change']> {
    const found = this.#installation.file.read()
    if (found === undefined) return 'created'
    const { state, notes = [] } = await this.status({ lookOnly: true })
    return found === wanted && state === 'running' && notes.length === 0 ? 'unchanged' : 'updated'
  }

  install(daemon: Daemon, options: StartOptions): Action<Installed> {
    const { names } = this.#installation
    const { steps, result } = bringUp(this.#installation, daemon, options)
    return {
      steps,
      result() {
        const { isUntouched, ...brought } = result()
        const isProtected = warnOfProtected(daemon, names.home)
        return {
          pid: brought.pid,
          ready: brought.ready,
          change: brought.change === 'unchanged' && !isUntouched ? 'updated' : brought.change,
          file: names.file,
          autostart: 'login',
          warnings: [
            ...(brought.domain === names.domains[0] ? [] : [NO_SCREEN]),
            ...(isProtected === undefined ? [] : [isProtected]),
            ...(process.getuid?.() === 0
              ? [`You are root, so the ${names.words.kept} may do anything on this machine`]
              : []),
          ],
        }
      },
    }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    return this.#started(bringUp(this.#installation, daemon, options))
  }

  restart(daemon: Daemon, options: StartOptions): Action<Started> {
    return this.#started(bringUp(this.#installation, daemon, options, { anew: true }))
  }

  #started({ steps, result }: Action<BroughtUp>): Action<Started> {
    const { file } = this.#installation.names
    return {
      steps,
      result() {
        const { pid, ready, change, stopped } = result()
        return { pid, ready, ...(change !== 'unchanged' && { updated: file }), ...(stopped && { stopped }) }
      },
    }
  }

  stop(): Action<Termination | undefined> {
    const unloading = new Unload(this.#installation, this.#installation.timing.totalMs)
    return {
      steps: stopSteps(this.#installation, () => unloading),
      result: () => unloading.termination,
    }
  }

  uninstall(): Action<Uninstalled | undefined> {
    const { names, file } = this.#installation
    let isThere = false
    const unloading = new Unload(this.#installation)
    const nothing = { skipped: 'it is not installed' }
    return {
      steps: [
        {
          title: 'Look at what launchd has',
          run: async () => {
            const lookup = (await this.#look()).requireKnown()
            isThere = !lookup.isAbsent || file.isThere
          },
        },
        // What can't be unloaded keeps its plist: without it nobody could tell what still runs.
        ...stopSteps(this.#installation, () => (isThere ? unloading : nothing)),
        {
          title: 'Remove the plist',
          async run() {
            if (!isThere) return nothing
            file.put(undefined)
            clearReceipt(names)
            return undefined
          },
        },
      ],
      result: () => (isThere ? { removed: [names.file], warnings: [] } : undefined),
    }
  }

  status(options?: StatusOptions): Promise<PlatformStatus> {
    this.#installation.launchctl.limit(this.#installation.timing.totalMs)
    return installationStatus(this.#installation, options)
  }

  /** From here on the clock runs. */
  #look(): Promise<JobLookup> {
    this.#installation.launchctl.limit(this.#installation.timing.totalMs)
    return this.#installation.control.look()
  }
}

const NO_SCREEN =
  'You are not logged in at the screen: it runs until this Mac is restarted, and then from your next login there'
