import { Config, Plugin, type Interfaces } from '@oclif/core'
import { ConnectError } from '../../errors.ts'
import { callPlugin } from '../../platforms/plugin/call-plugin.ts'
import { sentenceOf } from '../../platforms/plugin/plugin-error.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'
import { readPluginList, rootOf, type ListedPlugin } from '../../plugins/plugin-list.ts'
import { readPluginPackage } from '../../plugins/plugin-package.ts'
import type { PluginProblem } from '../../plugins/plugin-problem.ts'
import { isInRange } from '../../plugins/version-range.ts'
import { noAnswer, PLATFORMS_HOOK } from './ask-plugins.ts'
import { comesBack } from './comes-back.ts'
import { keepProblems } from './problems-at-load.ts'

/** How long the commands of a plugin may take to be imported, where no manifest tells them; in ms. */
const LOAD_TIMEOUT_MS = 2000

/**
 * Loads the plugins that the user has installed, as oclif would. But one that can't be loaded costs only
 * itself, and is told of where it matters: oclif warns at each command, of what it was thrown.
 *
 * @param word the first one of the command. Hooks, but for that which tells of platforms, are for the
 * commands of the plugin itself: one that hangs must not be in the way of `plugins uninstall`
 */
export async function withUserPlugins(
  loadOptions: Interfaces.Options,
  word: string | undefined,
): Promise<Interfaces.Options | Config> {
  const { version } = loadOptions.pjson as { version: string }
  const dataFolder = pluginDataFolder(process.env)
  const { loaded, problems } = await loadUserPlugins(dataFolder, version, { tried: word === 'plugins' })
  keepProblems(problems)
  if (loaded.length === 0) return loadOptions
  const config = await Config.load(loadOptions)
  for (const plugin of loaded) {
    if (config.plugins.has(plugin.name)) continue
    const isIts = plugin.commands.some(({ id }) => id.split(':', 1)[0] === word)
    if (!isIts || config.commandIDs.some((id) => id.split(':', 1)[0] === word))
      plugin.hooks = { [PLATFORMS_HOOK]: plugin.hooks[PLATFORMS_HOOK] ?? [] }
    config.plugins.set(plugin.name, plugin)
  }
  return config
}

/**
 * Loads the plugins in the list.
 *
 * @param options.tried each is imported in a thread first, so that one that never comes back can be removed;
 * default false
 * @returns those that can be loaded, and what is wrong with the others
 */
export async function loadUserPlugins(
  dataFolder: string,
  version: string,
  { tried = false } = {},
): Promise<{ loaded: Plugin[]; problems: readonly PluginProblem[] }> {
  const problems: PluginProblem[] = []
  const loaded = await Promise.all(
    listedIn(dataFolder, problems).map(async (listed) => {
      try {
        return [await loadPlugin(listed, { dataFolder, version, tried })]
      } catch (error) {
        problems.push({ plugin: listed.name, what: problemOf(listed, error) })
        return []
      }
    }),
  )
  return { loaded: loaded.flat(), problems }
}

/** A list that can't be read stops no command: whoever is to change it is told. */
function listedIn(dataFolder: string, problems: PluginProblem[]): ListedPlugin[] {
  try {
    return readPluginList(dataFolder)
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    problems.push({ plugin: undefined, what: [error.message, ...error.hints].join('. ') })
    return []
  }
}

/**
 * Loads one, by its manifest or its commands.
 *
 * @param options.version ours
 * @param options.tried it is imported in a thread first; default false
 * @throws Error what is wrong with it
 */
export async function loadPlugin(
  listed: ListedPlugin,
  { dataFolder, version, tried = false }: { dataFolder: string; version: string; tried?: boolean },
): Promise<Plugin> {
  const root = rootOf(dataFolder, listed)
  const { name } = listed
  const found = readPluginPackage(root, name)
  const fail = (what: string) => new ConnectError('PLUGIN_UNUSABLE', `${name} ${what}`)
  if (found.name !== name) throw fail(`is called ${found.name} in its package.json`)
  const { madeFor } = found
  if (madeFor !== undefined && isInRange(version, madeFor) === false)
    throw fail(`is made for Private Connect ${madeFor}, and this is ${version}`)
  if (tried && !(await comesBack(found))) throw fail(`failed: ${noAnswer()}`)
  // As `link` oclif takes the folder as it is, and searches no other.
  const plugin = new Plugin({ name, root, type: 'link' })
  const failures: unknown[] = []
  // It would warn of each command that can't be imported, and go on without.
  Object.assign(plugin, { warn: (error: unknown) => void failures.push(error) })
  const tooLate = () => new Error(`its commands took longer than ${LOAD_TIMEOUT_MS / 1000} s to load`)
  await callPlugin(() => plugin.load(), LOAD_TIMEOUT_MS, tooLate)
  if (failures.length > 0) throw failures[0]
  return plugin
}

/** What was thrown, to follow the plugin's name. */
export function problemOf({ name }: ListedPlugin, error: unknown): string {
  const text = sentenceOf(error)
  return error instanceof ConnectError && text.startsWith(`${name} `)
    ? text.slice(name.length + 1)
    : `can’t be loaded: ${text}`
}
