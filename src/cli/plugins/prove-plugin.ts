import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Interfaces, Plugin } from '@oclif/core'
import { ConnectError } from '../../errors.ts'
import { BUILT_IN } from '../../platforms/selection/select.ts'
import { knownPlatforms } from '../../platforms/selection/known-platforms.ts'
import type { ListedPlugin } from '../../plugins/plugin-list.ts'
import { askOnly } from './ask-plugins.ts'
import { loadPlugin, problemOf } from './load-plugins.ts'
import { keptByPlugin } from './plugins-in-use.ts'

/** What a plugin adds. */
export interface Brings {
  readonly platforms: readonly string[]
  readonly commands: readonly string[]
}

/** For whoever has just installed it. */
export function formatBrings({ platforms, commands }: Brings): string[] {
  return [
    ...platforms.map((name) => `  It brings the platform ${name}`),
    ...commands.map((command) => `  It brings the command connect ${command}`),
  ]
}

/**
 * Loads a plugin before it is listed, and asks it for its platforms: what fails here would fail at each
 * command later.
 *
 * @returns the names of its platforms, and its commands as they are typed
 * @throws ConnectError PLUGIN_UNUSABLE, PLUGIN_IN_USE
 */
export async function provePlugin(
  config: Interfaces.Config,
  dataFolder: string,
  listed: ListedPlugin & { readonly root: string },
): Promise<Brings> {
  const { name } = listed
  if (name === config.name || config.plugins.get(name)?.type === 'core')
    throw new ConnectError('PLUGIN_UNUSABLE', `${name} is part of Private Connect already`, { hints: [] })
  const { version } = config
  const plugin = await loadPlugin(listed, { dataFolder, version, tried: true }).catch((error: unknown) => {
    throw unusable(name, problemOf(listed, error))
  })
  keepManifest(plugin, listed)
  const others = [...config.plugins.values()].filter((other) => other.name !== name)
  const [own, theirs] = await Promise.all([askOnly(config, [plugin]), askOnly(config, others)])
  const platforms = [...theirs.platforms, ...own.platforms]
  const { known, problems } = knownPlatforms(BUILT_IN, { platforms, problems: own.problems })
  const found = problems.find((problem) => problem.plugin === name)
  if (found) throw unusable(name, found.what)
  const brought = known.flatMap((one) => (one.plugin === name ? [one.description.name] : []))
  await refuseLoss(config, name, brought)
  return {
    platforms: brought,
    commands: plugin.commands.flatMap(({ id, hidden }) =>
      hidden || isOurs(config, id) ? [] : [id.replaceAll(':', ' ')],
    ),
  }
}

/** One that takes the place of another must bring what keeps a daemon, or the hub, by that. */
async function refuseLoss(
  config: Interfaces.Config,
  name: string,
  brought: readonly string[],
): Promise<void> {
  const loaded = config.plugins.get(name)
  const kept = (loaded && (await keptByPlugin(config, loaded))) ?? []
  const lost = kept.find(({ platform }) => !brought.includes(platform))
  if (lost === undefined) return
  const what = `The ${lost.kept} is installed in ${lost.platform}, which this version of ${name} does not bring`
  throw new ConnectError('PLUGIN_IN_USE', what, { hints: [`Remove it from there first: ${lost.command}`] })
}

/** A command of that name is there, and stays. */
function isOurs(config: Interfaces.Config, id: string): boolean {
  return config.findCommand(id)?.pluginType === 'core'
}

function unusable(name: string, what: string): ConnectError {
  return new ConnectError('PLUGIN_UNUSABLE', `Plugin ${name} ${what}`)
}

/** Without one oclif would import all of its commands at each command of ours. */
function keepManifest(plugin: Plugin, { type, root }: ListedPlugin & { readonly root: string }): void {
  if (type === 'link' || plugin.hasManifest || plugin.commands.length === 0) return
  writeFileSync(path.join(root, 'oclif.manifest.json'), JSON.stringify(plugin.manifest))
}
