import { closeSync } from 'node:fs'
import { findAgent } from '../../control/find-agent.ts'
import { noteExit } from '../../control/started-agent.ts'
import { stopAgent } from '../../control/stop-agent.ts'
import { readAgentRecord } from '../../process/agent-record.ts'
import { openLog } from '../../process/spawn-detached.ts'
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
import { installationOf, type Installation } from './installation.ts'
import { installationStatus } from './installation-status.ts'
import { plistText, readMark } from './plist.ts'
import { warnOfProtected } from './protected-folder.ts'
import { proveRunning, type Expected, type Proven } from './prove.ts'
import { orPutBack } from './put-back.ts'
import type { Placed, Sighting } from './sighting.ts'
import { TIMING, type Timing } from './timing.ts'
import { clearTraces, rememberRuns } from './traces.ts'

interface BroughtUp extends Omit<Proven, 'stopped'> {
  readonly change: Installed['change']
  readonly domain: string
  readonly stopped: Termination | undefined
}

/** Keeps the agent as a job of this user's launchd. */
export class LaunchdPlatform implements Platform {
  readonly #it: Installation

  /** @param timing tests have one of their own */
  constructor(context: PlatformContext, timing: Timing = TIMING) {
    this.#it = installationOf(context, timing)
  }

  async plan(daemon: Daemon): Promise<InstallPlan> {
    const { label, file, domains } = this.#it.place
    const [domain = domains[0]!] = (await this.#look()).domains
    const target = `${domain}/${label}`
    return {
      files: [{ file, content: plistText(daemon, label) }],
      commands: [
        ['launchctl', 'enable', target],
        ['launchctl', 'bootstrap', domain, file],
        ['launchctl', 'kickstart', target],
      ],
    }
  }

  async install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    const { place } = this.#it
    const { pid, ready, change, domain } = await this.#bringUp(daemon, options)
    const isProtected = warnOfProtected(daemon, place.home)
    return {
      pid,
      ready,
      change,
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
    const { pid, ready, change } = await this.#bringUp(daemon, options)
    return { pid, ready, ...(change !== 'unchanged' && { updated: this.#it.place.file }) }
  }

  async restart(daemon: Daemon, options: StartOptions): Promise<Started> {
    const { pid, ready, change, stopped } = await this.#bringUp(daemon, options, { anew: true })
    const updated = change !== 'unchanged' && { updated: this.#it.place.file }
    return { pid, ready, ...updated, ...(stopped && { stopped }) }
  }

  async stop(): Promise<Termination | undefined> {
    await this.#look()
    const ended = await this.#unload()
    // One that was started in the background, before or beside it.
    return (await stopAgent(this.#it.instance)) ?? ended
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const { place, file } = this.#it
    const sighting = (await this.#look()).certain()
    if (sighting.isAbsent && !file.isThere) return undefined
    // What can't be unloaded keeps its plist: without it nobody could tell what still runs.
    await this.#unload()
    file.put(undefined)
    clearTraces(place)
    return { removed: [place.file], warnings: [] }
  }

  status(): Promise<PlatformStatus> {
    this.#it.launchctl.limit(this.#it.timing.totalMs)
    return installationStatus(this.#it)
  }

  /**
   * Has the job run by the plist that this version would write.
   *
   * @param how.anew also one that runs by it already
   */
  async #bringUp(daemon: Daemon, options: StartOptions, how = { anew: false }): Promise<BroughtUp> {
    const { place, file, instance } = this.#it
    file.checkIsOurs()
    const text = plistText(daemon, place.label)
    const sighting = (await this.#look()).certain()
    const found = file.read()
    // Else launchd would make it, for all to read.
    closeSync(openLog(daemon.logFile))
    const other = await this.#stopOther(sighting)
    const main = sighting.main(readAgentRecord(instance)?.pid)
    const isSame = found === text && main?.job.definition === readMark(text)?.mark
    const change = found === undefined ? 'created' : found === text ? 'unchanged' : 'updated'
    const before = { text: found, isLoaded: main !== undefined }
    return orPutBack(this.#it, before, options, async () => {
      if (main && isSame && main.job.pid !== undefined) {
        const proven = how.anew ? await this.#restartInPlace(main, daemon, options) : undefined
        if (proven) return { ...proven, change, domain: main.domain }
        if (!how.anew) {
          const expected = { domain: main.domain, runsBefore: (main.job.runs ?? 1) - 1 }
          return {
            ...(await this.#prove(expected, daemon, options)),
            change,
            domain: main.domain,
            stopped: other,
          }
        }
      }
      const ended = await this.#unload()
      if (found !== undefined && found !== text) file.keepOld(found, instance.folder)
      // Also for its mode, and its owner.
      file.put(text)
      const { domain } = await this.#it.control.load(readMark(text)!.mark)
      const proven = await this.#prove({ domain, runsBefore: 0 }, daemon, options)
      // A job that was not running, or ran by something else, was brought to what this version would write.
      const done = change === 'unchanged' && !how.anew && main ? 'updated' : change
      return { ...proven, change: done, domain, stopped: ended ?? other }
    })
  }

  /** @returns undefined if launchd has not done so: then only reading the plist anew helps */
  async #restartInPlace(
    { domain, job }: Placed,
    daemon: Daemon,
    options: StartOptions,
  ): Promise<(Proven & { stopped: Termination }) | undefined> {
    const stopped = await this.#it.control.restart({ domain, job })
    if (stopped === 'killed') await this.#noteKilled(job.pid!)
    const sight = await this.#it.control.lookIn(domain)
    const hasMoved = sight.seen === 'job' && sight.job.pid !== job.pid && sight.job.word !== 'spawn scheduled'
    if (!hasMoved) return undefined
    const expected = { domain, runsBefore: job.runs ?? 1, not: job.pid }
    return { ...(await this.#prove(expected, daemon, options)), stopped }
  }

  async #prove(expected: Expected, daemon: Daemon, options: StartOptions): Promise<Proven> {
    const why = warnOfProtected(daemon, this.#it.place.home)
    const proven = await proveRunning(this.#it, expected, options, why)
    if (proven.runs !== undefined) rememberRuns(this.#it.place, proven.runs)
    return proven
  }

  /** From here on the clock runs. */
  #look(): Promise<Sighting> {
    this.#it.launchctl.limit(this.#it.timing.totalMs)
    return this.#it.control.look()
  }

  async #unload(): Promise<Termination | undefined> {
    const { control, instance } = this.#it
    const pid = readAgentRecord(instance)?.pid
    const unloaded = await control.unload()
    if (!unloaded) return undefined
    if (unloaded.ended !== 'killed') return 'exited'
    return pid === undefined || (await this.#noteKilled(pid)) ? 'killed' : 'exited'
  }

  /** @returns false if the agent has said itself how it ended: then nobody had to kill it */
  async #noteKilled(pid: number): Promise<boolean> {
    const { instance } = this.#it
    const { end, pid: recorded } = readAgentRecord(instance) ?? {}
    if (recorded === pid && end) return false
    await noteExit(instance, pid, { code: null, signal: 'SIGKILL' })
    return true
  }

  /** One that was started in the background would hold the agent's lock for ever. */
  async #stopOther({ placed }: Sighting): Promise<Termination | undefined> {
    const { instance } = this.#it
    const found = await findAgent(instance)
    if (found.state !== 'running' || placed.some(({ job }) => job.pid === found.agent.pid)) return undefined
    return stopAgent(instance)
  }
}

const NO_SCREEN =
  'You are not logged in at the screen: it runs until this Mac is restarted, and then from your next login there'
