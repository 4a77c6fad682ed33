import * as v from 'valibot'
import type { PluginProblem } from '../../plugins/plugin-problem.ts'
import type { PlatformDescription, PluginDescription } from '../platform.ts'
import { callPlugin } from '../plugin/call-plugin.ts'
import { sentenceOf } from '../plugin/plugin-error.ts'
import { readGiven } from '../plugin/read-given.ts'

/** What the plugins have answered when they were asked for their platforms. */
export interface Brought {
  readonly platforms: readonly { readonly plugin: string; readonly answer: unknown }[]
  /** Of plugins that can't be loaded, or did not answer. */
  readonly problems: readonly PluginProblem[]
}

/** A platform, and who else brings one of its name. */
export interface KnownPlatform {
  readonly description: PlatformDescription
  /** The plugin that brings it; undefined if it is built in. */
  readonly plugin: string | undefined
  /** Of other plugins, those of the same name. */
  readonly rivals: readonly { readonly plugin: string; readonly description: PlatformDescription }[]
}

/** How long a plugin's platform may take to say whether it is installed, or could be, in ms. */
const ANSWER_TIMEOUT_MS = 5000

/** No hung service manager holds a command longer, in ms. */
const PLUGIN_TIMEOUT_MS = 60_000

/** A plugin's answer is checked for its shape: what it does when called is its own affair. */
const Description = v.object({
  apiVersion: v.picklist([1, 2]),
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)),
  summary: v.string(),
  probe: v.function(),
  isInstalled: v.function(),
  load: v.function(),
})

const NEWEST = 2

const Versioned = v.object({ apiVersion: v.number() })

const Answer = {
  isInstalled: v.boolean(),
  probe: v.variant('available', [
    v.object({ available: v.literal(true) }),
    v.object({ available: v.literal(false), reason: v.pipe(v.string(), v.nonEmpty()) }),
  ]),
}

/**
 * All platforms that there are, the built-in ones first.
 *
 * @param timeoutMs how long each method of a plugin's platform may take; default 60 000
 * @returns also `problems`, which grows as the platforms are asked
 */
export function knownPlatforms(
  builtIn: readonly PlatformDescription[],
  brought: Brought,
  timeoutMs = PLUGIN_TIMEOUT_MS,
): { known: KnownPlatform[]; problems: PluginProblem[] } {
  const known: (KnownPlatform & { rivals: { plugin: string; description: PlatformDescription }[] })[] =
    builtIn.map((description) => ({ description, plugin: undefined, rivals: [] }))
  const problems = [...brought.problems]
  for (const { plugin, answer } of brought.platforms) {
    for (const one of [answer].flat()) {
      const read = readGiven(Description, one)
      if ('why' in read) {
        problems.push({ plugin, what: otherVersion(one) ?? notUsable(read.why) })
        continue
      }
      const description = guarded(one as PluginDescription, { plugin, problems, timeoutMs })
      const taken = known.find((other) => other.description.name === description.name)
      if (!taken) {
        known.push({ description, plugin, rivals: [] })
        continue
      }
      if (taken.plugin !== plugin) taken.rivals.push({ plugin, description })
      problems.push({
        plugin,
        what: `brings a platform "${description.name}", as ${whose(taken, plugin)} is called`,
      })
    }
  }
  return { known, problems }
}

function whose(taken: KnownPlatform, plugin: string): string {
  if (taken.plugin === undefined) return 'a built-in one'
  return taken.plugin === plugin ? 'another one of it' : `one of the plugin ${taken.plugin}`
}

const notUsable = (why: string) => `brings a platform that is not usable: ${why}`

/** What a plugin for another Private Connect is told as. */
function otherVersion(answer: unknown): string | undefined {
  const read = readGiven(Versioned, answer)
  if ('why' in read || [1, NEWEST].includes(read.output.apiVersion)) return undefined
  const { apiVersion } = read.output
  const than = apiVersion > NEWEST ? 'a newer' : 'an older'
  return `is made for ${than} Private Connect: its apiVersion is ${apiVersion}, this one knows 1 and ${NEWEST}`
}

/**
 * A plugin's platform: while one is picked, what it throws, or never answers, is a warning and a no. Once it
 * is picked, it is an error.
 */
function guarded(
  platform: PluginDescription,
  { plugin, problems, timeoutMs }: { plugin: string; problems: PluginProblem[]; timeoutMs: number },
): PlatformDescription {
  async function ask<T>(
    question: () => Promise<unknown>,
    answer: v.GenericSchema<unknown, T>,
    no: (why: string) => T,
  ): Promise<T> {
    try {
      const tooLate = () => new Error(`it gave no answer within ${ANSWER_TIMEOUT_MS / 1000} s`)
      return v.parse(answer, await callPlugin(question, ANSWER_TIMEOUT_MS, tooLate))
    } catch (error) {
      const why = sentenceOf(error)
      problems.push({ plugin, what: `failed, with its platform ${platform.name}: ${why}` })
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
