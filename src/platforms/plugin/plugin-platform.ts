import * as v from 'valibot'
import type { Instance } from '../../config/instance.ts'
import { wordsOf, type KindWords } from '../../config/kind.ts'
import { findProcess } from '../../control/find-process.ts'
import type { Termination } from '../../process/terminate.ts'
import type {
  Action,
  Daemon,
  Installed,
  InstallPlan,
  Platform,
  PlatformStatus,
  PluginDescription,
  PluginPlatform,
  Started,
  StartOptions,
  StatusOptions,
  Stepless,
  Uninstalled,
} from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import { callPlugin } from './call-plugin.ts'
import {
  InstalledAnswer,
  PlanAnswer,
  StartedAnswer,
  StatusAnswer,
  UninstalledAnswer,
} from './plugin-answers.ts'
import { PluginCalls, type Brought } from './plugin-calls.ts'
import { pluginError } from './plugin-error.ts'
import { readGiven } from './read-given.ts'

/**
 * What a plugin's platform may do wrong ends here: what it throws is told to the user, an answer of the wrong
 * shape is refused, and one that never comes is not waited for. The agent's own files are none of its
 * business: they are seen to here.
 */
export class GuardedPlatform implements Platform {
  readonly #instance: Instance
  readonly #name: string
  readonly #calls: PluginCalls
  readonly #words: KindWords
  readonly plan?: (daemon: Daemon) => Promise<InstallPlan>

  /** @param timeoutMs how long each answer and each step may take */
  constructor(instance: Instance, brought: Brought, timeoutMs: number) {
    this.#instance = instance
    this.#name = brought.name
    this.#words = wordsOf(instance)
    this.#calls = new PluginCalls(brought, timeoutMs)
    if (brought.platform.plan)
      this.plan = (daemon) => this.#calls.ask('plan', PlanAnswer, (platform) => platform.plan?.(daemon))
  }

  install(daemon: Daemon, options: StartOptions): Action<Installed> {
    const { kept } = this.#words
    let before: PlatformStatus | undefined
    let installed: Installed
    const action = this.#calls.action(
      { method: 'install', title: `Install the ${kept}`, answer: v.optional(InstalledAnswer) },
      (platform) => platform.install(daemon, options),
      (platform) => platform.install(daemon, options),
    )
    return {
      steps: [
        {
          title: `Look at what ${this.#name} has`,
          // A status that is wrong is found out when it is asked again.
          run: async () => void (before = await this.status().catch(() => undefined)),
        },
        ...action.steps,
        {
          title: 'Verify that it runs',
          run: async () => {
            const said = action.result() as Installed | undefined
            installed = said ?? (await this.#installed(before, options))
            return said && { skipped: 'it was seen to run' }
          },
        },
      ],
      result: () => installed,
    }
  }

  uninstall(): Action<Uninstalled | undefined> {
    const answer = v.optional(v.union([v.boolean(), UninstalledAnswer]))
    const action = this.#calls.action(
      { method: 'uninstall', title: `Remove the ${this.#words.kept}`, answer },
      (platform) => platform.uninstall(),
      (platform) => platform.uninstall(),
    )
    return {
      steps: [...action.steps, removePidFile(this.#instance, () => NOBODY)],
      result() {
        const removed = action.result()
        if (removed === true) return { removed: [], warnings: [] }
        return removed === false ? undefined : removed
      },
    }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    return this.#calls.action(
      { method: 'start', title: `Start the ${this.#words.process}`, answer: StartedAnswer },
      (platform) => platform.start(daemon, options),
      (platform) => platform.start(daemon, options),
    ) as Action<Started>
  }

  stop(found: PlatformStatus): Action<Termination | undefined> {
    const answer = v.undefinedable(v.picklist(['exited', 'killed']))
    const { steps, result } = this.#calls.action(
      { method: 'stop', title: `Stop the ${this.#words.process}`, answer },
      (platform) => platform.stop(found),
      (platform) => platform.stop(),
    )
    const { pid } = found
    return {
      steps: [...steps, removePidFile(this.#instance, () => ({ pid, termination: result() }))],
      result,
    }
  }

  async status(options?: StatusOptions): Promise<PlatformStatus> {
    const [said, found] = await Promise.all([this.#said(options), findProcess(this.#instance)])
    if (found.state !== 'running') return said
    const { mode, pid, startedAt } = found.agent
    if (mode === 'foreground') return { foregroundPid: pid, ...said }
    if (said.state !== 'stopped') return said
    const note = `It runs in the background and not by ${this.#name}. Run: ${this.#words.command} restart`
    const notes = [note, ...(said.notes ?? [])]
    return { ...said, state: 'running', pid, startedAt, notes, background: found }
  }

  async #said(options?: StatusOptions): Promise<PlatformStatus> {
    const answer = await this.#calls.ask('status', v.unknown(), (platform) => platform.status(options))
    const read = readGiven(StatusAnswer, answer)
    if ('output' in read) return read.output as PlatformStatus
    // Not an error: whoever asks for the status is told all that is known.
    const said = readGiven(Installation, answer)
    return {
      state: 'unknown',
      reason: `${this.#name} gave a status that can’t be read (${read.why})`,
      installed: 'output' in said && said.output.installed,
      autostart: 'never',
    }
  }

  /** What a plugin's install does not say, its status does. */
  async #installed(before: PlatformStatus | undefined, { isReady }: StartOptions): Promise<Installed> {
    const { pid, autostart, bootHint } = await this.status()
    if (pid === undefined)
      throw this.#calls.error(new Error(`install() did not start the ${this.#words.kept}`))
    const change = before?.installed ? 'updated' : 'created'
    const warnings = bootHint === undefined ? [] : [bootHint]
    return { pid, ready: await isReady(pid), change, autostart, warnings }
  }
}

const Installation = v.object({ installed: v.boolean() })

const NOBODY = { pid: undefined, termination: undefined }

/** @throws ConnectError PLATFORM_FAILED, or the code of ours that the plugin gave */
export async function loadPluginPlatform(
  { apiVersion, name }: Pick<PluginDescription, 'apiVersion' | 'name'>,
  load: () => Promise<PluginPlatform | Stepless>,
  { instance, timeoutMs }: { instance: Instance; timeoutMs: number },
): Promise<Platform> {
  const fail = (why: string) => new Error(`load() gave ${why}`)
  try {
    const tooLate = () => fail(`no answer within ${timeoutMs / 1000} s`)
    const platform: unknown = await callPlugin(load, timeoutMs, tooLate)
    if (typeof platform !== 'object' || platform === null) throw fail('no platform')
    const brought = { apiVersion, name, platform: platform as PluginPlatform | Stepless }
    return new GuardedPlatform(instance, brought, timeoutMs)
  } catch (error) {
    throw pluginError(name, error)
  }
}
