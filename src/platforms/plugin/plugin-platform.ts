import * as v from 'valibot'
import type { Instance } from '../../config/instance.ts'
import { findAgent } from '../../control/find-agent.ts'
import type { Termination } from '../../process/terminate.ts'
import { printable } from '../../text/printable.ts'
import { withDeadline } from '../deadline.ts'
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
  Stepless,
  Uninstalled,
} from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import {
  ActionAnswer,
  InstalledAnswer,
  PlanAnswer,
  SkippedAnswer,
  StartedAnswer,
  StatusAnswer,
  UninstalledAnswer,
} from './plugin-answers.ts'
import { pluginError } from './plugin-error.ts'

/** What a plugin's description has loaded. */
export interface Brought extends Pick<PluginDescription, 'apiVersion' | 'name'> {
  readonly platform: PluginPlatform | Stepless
}

/**
 * What a plugin's platform may do wrong ends here: what it throws is told to the user, an answer of the wrong shape is
 * refused, and one that never comes is not waited for. The agent's own files are none of its business: they are seen to
 * here.
 */
export class GuardedPlatform implements Platform {
  readonly #instance: Instance
  readonly #brought: Brought
  readonly #timeoutMs: number
  readonly plan?: (daemon: Daemon) => Promise<InstallPlan>

  /** @param timeoutMs how long each answer and each step may take */
  constructor(instance: Instance, brought: Brought, timeoutMs: number) {
    this.#instance = instance
    this.#brought = brought
    this.#timeoutMs = timeoutMs
    const { platform } = brought
    if (platform.plan) this.plan = (daemon) => this.#ask('plan', PlanAnswer, () => platform.plan?.(daemon))
  }

  install(daemon: Daemon, options: StartOptions): Action<Installed> {
    let before: PlatformStatus | undefined
    let installed: Installed
    const action = this.#action(
      { method: 'install', title: 'Install the daemon', answer: v.optional(InstalledAnswer) },
      (platform) => platform.install(daemon, options),
      (platform) => platform.install(daemon, options),
    )
    return {
      steps: [
        {
          title: `Look at what ${this.#brought.name} has`,
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
    const action = this.#action(
      { method: 'uninstall', title: 'Remove the daemon', answer },
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
    return this.#action(
      { method: 'start', title: 'Start the agent', answer: StartedAnswer },
      (platform) => platform.start(daemon, options),
      (platform) => platform.start(daemon, options),
    ) as Action<Started>
  }

  stop(found: PlatformStatus): Action<Termination | undefined> {
    const answer = v.undefinedable(v.picklist(['exited', 'killed']))
    const { steps, result } = this.#action(
      { method: 'stop', title: 'Stop the agent', answer },
      (platform) => platform.stop(found),
      (platform) => platform.stop(),
    )
    const { pid } = found
    return {
      steps: [...steps, removePidFile(this.#instance, () => ({ pid, termination: result() }))],
      result,
    }
  }

  async status(): Promise<PlatformStatus> {
    const [said, found] = await Promise.all([this.#said(), findAgent(this.#instance)])
    if (found.state !== 'running') return said
    const { mode, pid, startedAt } = found.agent
    if (mode === 'foreground') return { foregroundPid: pid, ...said }
    if (said.state !== 'stopped') return said
    const note = `It runs in the background and not by ${this.#brought.name}. Run: connect daemon restart`
    const notes = [note, ...(said.notes ?? [])]
    return { ...said, state: 'running', pid, startedAt, notes, background: found }
  }

  async #said(): Promise<PlatformStatus> {
    const answer = await this.#ask('status', v.unknown(), (platform) => platform.status())
    const parsed = v.safeParse(StatusAnswer, answer)
    if (parsed.success) return parsed.output as PlatformStatus
    // Not an error: whoever asks for the status is told all that is known.
    const { installed } = { installed: false, ...(answer as { installed?: unknown } | null | undefined) }
    return {
      state: 'unknown',
      reason: `${this.#brought.name} gave a status that can’t be read (${issueOf(parsed.issues)})`,
      installed: installed === true,
      autostart: 'never',
    }
  }

  /** What a plugin's install does not say, its status does. */
  async #installed(before: PlatformStatus | undefined, { isReady }: StartOptions): Promise<Installed> {
    const { pid, autostart } = await this.status()
    if (pid === undefined) throw this.#error(new Error('install() did not start the daemon'))
    const change = before?.installed ? 'updated' : 'created'
    return { pid, ready: await isReady(pid), change, autostart, warnings: [] }
  }

  /** Of a platform that tells no steps, all of it is one. */
  #action<T>(
    { method, title, answer }: { method: Method; title: string; answer: v.GenericSchema<unknown, T> },
    inSteps: (platform: PluginPlatform) => unknown,
    atOnce: (platform: Stepless) => unknown,
  ): Action<T> {
    const { apiVersion, platform } = this.#brought
    this.#mustHave(method)
    if (apiVersion === 1) {
      let given: T
      const run = async () =>
        void (given = await this.#ask(method, answer, () => atOnce(platform as Stepless)))
      return { steps: [{ title, run }], result: () => given }
    }
    const given = this.#guarded(() => inSteps(platform as PluginPlatform))
    this.#checked(method, ActionAnswer, given)
    const action = given as Action<unknown>
    return {
      steps: action.steps.map((step) => ({
        title: printable(step.title),
        ...(step.waitMs !== undefined && { waitMs: step.waitMs }),
        run: () => this.#ask(method, SkippedAnswer, () => step.run()),
      })),
      result: () =>
        this.#checked(
          method,
          answer,
          this.#guarded(() => action.result()),
        ),
    }
  }

  async #ask<T>(
    method: Method,
    answer: v.GenericSchema<unknown, T>,
    call: (platform: Brought['platform']) => unknown,
  ): Promise<T> {
    this.#mustHave(method)
    const seconds = this.#timeoutMs / 1000
    const tooLate = () => this.#failure(method, `gave no answer within ${seconds} s`)
    let given: unknown
    try {
      given = await withDeadline(() => call(this.#brought.platform), this.#timeoutMs, tooLate)
    } catch (error) {
      throw this.#error(error)
    }
    return this.#checked(method, answer, given)
  }

  #guarded(call: () => unknown): unknown {
    try {
      return call()
    } catch (error) {
      throw this.#error(error)
    }
  }

  #checked<T>(method: Method, answer: v.GenericSchema<unknown, T>, given: unknown): T {
    const parsed = v.safeParse(answer, given)
    if (parsed.success) return parsed.output
    throw this.#failure(method, `gave an answer that can’t be read (${issueOf(parsed.issues)})`)
  }

  #mustHave(method: Method): void {
    if (typeof this.#brought.platform[method] !== 'function') throw this.#failure(method, 'is missing')
  }

  #failure(method: Method, why: string): Error {
    return this.#error(new Error(`${method}() ${why}`))
  }

  #error(thrown: unknown): Error {
    return pluginError(this.#brought.name, thrown)
  }
}

type Method = keyof Stepless

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
    const platform: unknown = await withDeadline(load, timeoutMs, tooLate)
    if (typeof platform !== 'object' || platform === null) throw fail('no platform')
    const brought = { apiVersion, name, platform: platform as PluginPlatform | Stepless }
    return new GuardedPlatform(instance, brought, timeoutMs)
  } catch (error) {
    throw pluginError(name, error)
  }
}

function issueOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const place = v.getDotPath(issue)
  return place === null ? issue.message : `${place}: ${issue.message}`
}
