import * as v from 'valibot'
import { wordsOf } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import { background } from '../background/description.ts'
import { withDeadline } from '../deadline.ts'
import { launchd } from '../launchd/description.ts'
import type { PlatformContext, PlatformDescription, PluginDescription } from '../platform.ts'
import { sentenceOf } from '../plugin/plugin-error.ts'
import { systemd } from '../systemd/description.ts'

/** The platform that was picked, and what is to be told about that. */
export interface Selection {
  readonly description: PlatformDescription
  /** Why each of the others was not picked, for `install`. */
  readonly reasons: readonly string[]
  /** Plugins that did not answer properly. */
  readonly warnings: readonly string[]
}

export interface SelectOptions {
  readonly context: PlatformContext
  /** `install` wants a platform that can be installed into; anything else the one that is in use. */
  readonly purpose: 'install' | 'use'
  /** What plugins bring, and which failed. */
  readonly plugins: () => Promise<{ platforms: unknown[]; warnings: string[] }>
  /** How long each method of a plugin's platform may take, in ms; default 60 000. */
  readonly pluginTimeoutMs?: number
}

/** No hung service manager holds a command longer, in ms. */
const PLUGIN_TIMEOUT_MS = 60_000

/** How long a plugin's platform may take to say whether it is installed, or could be, in ms. */
const ANSWER_TIMEOUT_MS = 5000

const BUILT_IN: readonly PlatformDescription[] = [launchd, systemd, background]

/**
 * The operating system that a platform belongs to; on others it is taken only if CONNECT_PLATFORM names it.
 */
const SYSTEM_OF: Readonly<Record<string, NodeJS.Platform>> = { launchd: 'darwin', systemd: 'linux' }

/** A plugin's answer is checked for its shape: what it does when called is its own affair. */
const Description = v.object({
  apiVersion: v.picklist([1, 2]),
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)),
  summary: v.string(),
  probe: v.function(),
  isInstalled: v.function(),
  load: v.function(),
})

const Answer = {
  isInstalled: v.boolean(),
  probe: v.variant('available', [
    v.object({ available: v.literal(true) }),
    v.object({ available: v.literal(false), reason: v.pipe(v.string(), v.nonEmpty()) }),
  ]),
}

/**
 * Picks the platform: the one that CONNECT_PLATFORM names, else one on which this instance is installed, else
 * for `install` the first whose probe succeeds, else background.
 *
 * @throws ConnectError PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED
 */
export async function selectPlatform(options: SelectOptions): Promise<Selection> {
  const { context, purpose, plugins, pluginTimeoutMs = PLUGIN_TIMEOUT_MS } = options
  if (process.platform === 'win32') {
    const { kept, foreground } = wordsOf(context.instance)
    throw new ConnectError('PLATFORM_UNSUPPORTED', `The ${kept} is not currently supported on Windows`, {
      hints: [`Not currently supported (use foreground mode: ${foreground})`],
    })
  }
  const { platforms, warnings } = await withPlugins(plugins, pluginTimeoutMs)
  const picked = (description: PlatformDescription, reasons: string[] = []) => ({
    description,
    reasons,
    warnings,
  })

  const forced = context.env.CONNECT_PLATFORM
  if (forced) {
    const named = platforms.find(({ name }) => name === forced)
    if (!named) throw new ConnectError('PLATFORM_UNKNOWN', `There is no platform "${forced}"`)
    return picked(named)
  }
  const candidates = platforms.filter(
    ({ name }) => (SYSTEM_OF[name] ?? process.platform) === process.platform,
  )
  for (const platform of candidates) if (await platform.isInstalled(context)) return picked(platform)
  const reasons: string[] = []
  if (purpose === 'install') {
    for (const platform of candidates) {
      const probe = await platform.probe(context)
      if (probe.available) return picked(platform)
      if (platform !== background) reasons.push(`${platform.name}: ${probe.reason}`)
    }
  }
  return picked(background, reasons)
}

async function withPlugins(
  plugins: SelectOptions['plugins'],
  timeoutMs: number,
): Promise<{ platforms: PlatformDescription[]; warnings: string[] }> {
  const platforms = [...BUILT_IN]
  const answers = await plugins()
  const warnings = [...answers.warnings]
  for (const answer of answers.platforms.flat()) {
    const parsed = v.safeParse(Description, answer)
    if (!parsed.success) warnings.push(`A plugin’s platform is not usable: ${parsed.issues[0].message}`)
    else if (platforms.some(({ name }) => name === parsed.output.name)) {
      warnings.push(`Two platforms are called "${parsed.output.name}"; the first is used`)
    } else platforms.push(guardPlugin(answer as PluginDescription, warnings, timeoutMs))
  }
  return { platforms, warnings }
}

/**
 * A plugin's platform: while one is picked, what it throws, or never answers, is a warning and a no. Once it
 * is picked, it is an error.
 */
function guardPlugin(
  platform: PluginDescription,
  warnings: string[],
  timeoutMs: number,
): PlatformDescription {
  async function ask<T>(
    question: () => Promise<unknown>,
    answer: v.GenericSchema<unknown, T>,
    no: (why: string) => T,
  ): Promise<T> {
    try {
      const tooLate = () => new Error('no answer in time')
      return v.parse(answer, await withDeadline(question, ANSWER_TIMEOUT_MS, tooLate))
    } catch (error) {
      const why = sentenceOf(error)
      warnings.push(`Platform ${platform.name} failed: ${why}`)
      return no(why)
    }
  }
  const { name, summary } = platform
  return {
    apiVersion: 2,
    name,
    summary,
    probe: (context) =>
      ask(
        () => platform.probe(context),
        Answer.probe,
        (reason) => ({ available: false, reason }),
      ),
    isInstalled: (context) =>
      ask(
        () => platform.isInstalled(context),
        Answer.isInstalled,
        () => false,
      ),
    async load(context) {
      // Loaded only where there is a plugin.
      const { loadPluginPlatform } = await import('../plugin/plugin-platform.ts')
      return loadPluginPlatform(platform, () => platform.load(context), {
        instance: context.instance,
        timeoutMs,
      })
    },
  }
}
