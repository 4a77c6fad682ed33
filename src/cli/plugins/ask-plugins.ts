import type { Interfaces } from '@oclif/core'
import { mayLeaveWork } from '../../runtime/deadline.ts'
import { callPlugin } from '../../platforms/plugin/call-plugin.ts'
import { sentenceOf } from '../../platforms/plugin/plugin-error.ts'
import type { Brought } from '../../platforms/selection/known-platforms.ts'
import { problemsAtLoad } from './problems-at-load.ts'

/** How long a plugin may take to be loaded, and to say which platform it brings, in ms. */
export const PLUGIN_TIMEOUT_MS = 2000

export const PLATFORMS_HOOK = 'connect:platforms'

/** Asks all plugins for their platforms. What can't be loaded, fails or hangs is a problem of that plugin. */
export async function askPlugins(config: Interfaces.Config): Promise<Brought> {
  const { platforms, problems } = await askOnly(config, [...config.plugins.values()])
  return { platforms, problems: [...problemsAtLoad(), ...problems] }
}

/**
 * Asks these, all at once.
 *
 * @param timeoutMs how long each may take; default 2000
 */
export async function askOnly(
  config: Interfaces.Config,
  plugins: readonly Interfaces.Plugin[],
  timeoutMs = PLUGIN_TIMEOUT_MS,
): Promise<Brought> {
  const asked = plugins.filter(({ hooks }) => hooks[PLATFORMS_HOOK] !== undefined)
  if (asked.length > 0) mayLeaveWork()
  const answers = await Promise.all(
    asked.map(async (plugin): Promise<Brought> => {
      try {
        const work = () => askOne(config, plugin)
        const tooLate = () => new Error(noAnswer(timeoutMs))
        return { platforms: await callPlugin(work, timeoutMs, tooLate), problems: [] }
      } catch (error) {
        const what = `failed: ${sentenceOf(error)}`
        return { platforms: [], problems: [{ plugin: plugin.name, what }] }
      }
    }),
  )
  return {
    platforms: answers.flatMap(({ platforms }) => platforms),
    problems: answers.flatMap(({ problems }) => problems),
  }
}

/** What is wrong with a plugin that has not come back. @param timeoutMs default 2000 */
export function noAnswer(timeoutMs = PLUGIN_TIMEOUT_MS): string {
  return `it gave no answer within ${timeoutMs / 1000} s`
}

/** oclif runs a hook of all plugins, and its own deadline is none for what loading one takes. */
async function askOne(config: Interfaces.Config, plugin: Interfaces.Plugin): Promise<Brought['platforms']> {
  const alone = Object.create(config, {
    plugins: { value: new Map([[plugin.name, plugin]]) },
  }) as Interfaces.Config
  const { successes, failures } = await alone.runHook(PLATFORMS_HOOK, {}, undefined, true)
  for (const { error } of failures) throw error
  return successes.map(({ result }) => ({ plugin: plugin.name, answer: result }))
}
