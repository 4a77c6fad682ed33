import * as v from 'valibot'
import { withDeadline } from './deadline.ts'
import type {
  Daemon,
  Installed,
  InstallPlan,
  Platform,
  PlatformStatus,
  PluginPlatform,
  Started,
  StartOptions,
  Uninstalled,
} from './platform.ts'
import { pluginError } from './plugin-error.ts'

const WholeNumber = v.pipe(v.number(), v.integer())
const Pid = v.pipe(WholeNumber, v.minValue(1))

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const Time = v.pipe(
  v.string(),
  v.check((text) => RFC_3339.test(text) && !Number.isNaN(Date.parse(text)), 'not a time as of RFC 3339'),
)

const Texts = v.array(v.string())

const Change = v.picklist(['created', 'updated', 'unchanged'])

const PlanAnswer = v.object({
  change: v.exactOptional(Change),
  files: v.array(v.object({ file: v.string(), content: v.string() })),
  commands: v.array(Texts),
})

const StartedAnswer = v.object({ pid: Pid, ready: v.boolean(), updated: v.optional(v.string()) })

const InstalledAnswer = v.object({
  ...StartedAnswer.entries,
  change: Change,
  file: v.optional(v.string()),
  startsAt: v.picklist(['boot', 'login', 'never']),
  warnings: v.optional(Texts, []),
})

const UninstalledAnswer = v.object({
  removed: Texts,
  warnings: v.optional(Texts, []),
})

const Status = v.object({
  state: v.picklist(['running', 'starting', 'restarting', 'stopping', 'stopped', 'unknown']),
  pid: v.optional(Pid),
  reason: v.optional(v.string()),
  startedAt: v.optional(Time),
  installed: v.boolean(),
  // A plugin from before there was this answer promises nothing.
  startsAt: v.optional(v.picklist(['boot', 'login', 'never']), 'never'),
  restarts: v.optional(v.pipe(WholeNumber, v.minValue(0))),
  notes: v.optional(Texts),
  cleanedUp: v.optional(v.boolean()),
  foregroundPid: v.optional(Pid),
})

/**
 * What a plugin's platform may do wrong ends here: what it throws is told to the user, an answer of the wrong shape is
 * refused, and one that never comes is not waited for.
 */
export class CheckedPlatform implements Platform {
  readonly #name: string
  readonly #platform: PluginPlatform
  readonly #timeoutMs: number
  readonly plan?: (daemon: Daemon) => Promise<InstallPlan>

  constructor(name: string, platform: PluginPlatform, timeoutMs: number) {
    this.#name = name
    this.#platform = platform
    this.#timeoutMs = timeoutMs
    if (platform.plan) this.plan = (daemon) => this.#ask('plan', PlanAnswer, (it) => it.plan?.(daemon))
  }

  async install(daemon: Daemon, options: StartOptions): Promise<Installed> {
    // What is wrong with its status comes second: it is asked again.
    const before = await this.status().catch(() => undefined)
    const answer = await this.#ask('install', v.optional(InstalledAnswer), (platform) =>
      platform.install(daemon, options),
    )
    return (answer as Installed | undefined) ?? this.#installed(before, options)
  }

  async uninstall(): Promise<Uninstalled | undefined> {
    const answer = v.optional(v.union([v.boolean(), UninstalledAnswer]))
    const removed = await this.#ask('uninstall', answer, (platform) => platform.uninstall())
    if (removed === true) return { removed: [], warnings: [] }
    return removed === false ? undefined : removed
  }

  start(daemon: Daemon, options: StartOptions): Promise<Started> {
    const answer = this.#ask('start', StartedAnswer, (platform) => platform.start(daemon, options))
    return answer as Promise<Started>
  }

  stop(): Promise<'exited' | 'killed' | undefined> {
    const answer = v.undefinedable(v.picklist(['exited', 'killed']))
    return this.#ask('stop', answer, (platform) => platform.stop())
  }

  async status(): Promise<PlatformStatus> {
    const answer = await this.#ask('status', v.unknown(), (platform) => platform.status())
    const parsed = v.safeParse(Status, answer)
    if (parsed.success) return parsed.output as PlatformStatus
    // Not an error: whoever asks for the status is told all that is known.
    const { installed } = { installed: false, ...(answer as { installed?: unknown } | null | undefined) }
    return {
      state: 'unknown',
      reason: `${this.#name} gave a status that can’t be read (${issueOf(parsed.issues)})`,
      installed: installed === true,
      startsAt: 'never',
    }
  }

  /** What a plugin's install does not say, its status does. */
  async #installed(before: PlatformStatus | undefined, { isReady }: StartOptions): Promise<Installed> {
    const { pid, startsAt } = await this.status()
    if (pid === undefined) throw pluginError(this.#name, new Error('install() did not start the daemon'))
    const change = before?.installed ? 'updated' : 'created'
    return { pid, ready: await isReady(pid), change, startsAt, warnings: [] }
  }

  async #ask<T>(
    method: keyof PluginPlatform,
    answer: v.GenericSchema<unknown, T>,
    call: (platform: PluginPlatform) => unknown,
  ): Promise<T> {
    const fail = (why: string) => pluginError(this.#name, new Error(`${method}() ${why}`))
    if (typeof this.#platform[method] !== 'function') throw fail('is missing')
    const seconds = this.#timeoutMs / 1000
    let given: unknown
    try {
      const tooLate = () => fail(`gave no answer within ${seconds} s`)
      given = await withDeadline(() => call(this.#platform), this.#timeoutMs, tooLate)
    } catch (error) {
      throw pluginError(this.#name, error)
    }
    const parsed = v.safeParse(answer, given)
    if (parsed.success) return parsed.output
    throw fail(`gave an answer that can’t be read (${issueOf(parsed.issues)})`)
  }
}

/** @throws ConnectError PLATFORM_FAILED, or the code of ours that the plugin gave */
export async function loadPluginPlatform(
  name: string,
  load: () => Promise<PluginPlatform>,
  timeoutMs: number,
): Promise<Platform> {
  const fail = (why: string) => new Error(`load() gave ${why}`)
  try {
    const tooLate = () => fail(`no answer within ${timeoutMs / 1000} s`)
    const platform: unknown = await withDeadline(load, timeoutMs, tooLate)
    if (typeof platform !== 'object' || platform === null) throw fail('no platform')
    return new CheckedPlatform(name, platform as PluginPlatform, timeoutMs)
  } catch (error) {
    throw pluginError(name, error)
  }
}

function issueOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const place = v.getDotPath(issue)
  return place === null ? issue.message : `${place}: ${issue.message}`
}
