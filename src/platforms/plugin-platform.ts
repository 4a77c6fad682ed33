import * as v from 'valibot'
import { withDeadline } from './deadline.ts'
import type { Daemon, Platform, PlatformStatus, Started, StartOptions } from './platform.ts'
import { pluginError } from './plugin-error.ts'

const WholeNumber = v.pipe(v.number(), v.integer())
const Pid = v.pipe(WholeNumber, v.minValue(1))

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const Time = v.pipe(
  v.string(),
  v.check((text) => RFC_3339.test(text) && !Number.isNaN(Date.parse(text)), 'not a time as of RFC 3339'),
)

const Status = v.object({
  state: v.picklist(['running', 'stopped', 'unknown']),
  pid: v.optional(Pid),
  reason: v.optional(v.string()),
  startedAt: v.optional(Time),
  installed: v.boolean(),
  // A plugin from before there was this answer promises nothing.
  startsAt: v.optional(v.picklist(['boot', 'login', 'never']), 'never'),
  restarts: v.optional(v.pipe(WholeNumber, v.minValue(0))),
  cleanedUp: v.optional(v.boolean()),
  foregroundPid: v.optional(Pid),
})

/**
 * What a plugin's platform may do wrong ends here: what it throws is told to the user, an answer of the wrong shape is
 * refused, and one that never comes is not waited for.
 */
export class PluginPlatform implements Platform {
  readonly #name: string
  readonly #platform: Platform
  readonly #timeoutMs: number

  constructor(name: string, platform: Platform, timeoutMs: number) {
    this.#name = name
    this.#platform = platform
    this.#timeoutMs = timeoutMs
  }

  async install(daemon: Daemon): Promise<void> {
    await this.#ask('install', v.unknown(), (platform) => platform.install(daemon))
  }

  uninstall(): Promise<boolean> {
    return this.#ask('uninstall', v.boolean(), (platform) => platform.uninstall())
  }

  start(daemon: Daemon, options: StartOptions): Promise<Started> {
    const answer = v.object({ pid: Pid, ready: v.boolean() })
    return this.#ask('start', answer, (platform) => platform.start(daemon, options))
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

  async #ask<T>(
    method: keyof Platform,
    answer: v.GenericSchema<unknown, T>,
    call: (platform: Platform) => Promise<unknown>,
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
  load: () => Promise<Platform>,
  timeoutMs: number,
): Promise<Platform> {
  const fail = (why: string) => new Error(`load() gave ${why}`)
  try {
    const tooLate = () => fail(`no answer within ${timeoutMs / 1000} s`)
    const platform: unknown = await withDeadline(load, timeoutMs, tooLate)
    if (typeof platform !== 'object' || platform === null) throw fail('no platform')
    return new PluginPlatform(name, platform as Platform, timeoutMs)
  } catch (error) {
    throw pluginError(name, error)
  }
}

function issueOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const place = v.getDotPath(issue)
  return place === null ? issue.message : `${place}: ${issue.message}`
}
