import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../errors.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { readText } from '../files/read-text.ts'
import { installFolder } from './data-folder.ts'
import { npmInstall } from './npm.ts'
import { rootOf, type ListedPlugin } from './plugin-list.ts'
import { readPluginPackage, type PluginPackage } from './plugin-package.ts'
import type { PluginSource } from './plugin-source.ts'

/** A plugin that lies in a folder of its own, and is not used before the list names it. */
export interface FetchedPlugin extends PluginPackage {
  readonly listed: ListedPlugin & { readonly root: string }
  /** Takes it away again. */
  discard(): void
}

/**
 * Has npm put a plugin into a folder of its own. What is killed in the middle of it leaves a folder that
 * nothing names, for sweep().
 *
 * @throws ConnectError NPM_MISSING, PLUGIN_NOT_INSTALLED, PLUGIN_UNUSABLE, WRITE_FAILED
 */
export async function fetchPlugin(
  dataFolder: string,
  source: PluginSource,
  env: NodeJS.ProcessEnv,
): Promise<FetchedPlugin> {
  const all = installFolder(dataFolder)
  ensurePrivateFolder(all)
  const folder = mkdtempSync(path.join(all, 'plugin-'))
  const discard = () => rmSync(folder, { recursive: true, force: true })
  try {
    // npm would look further up for the package that it is to install into.
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    await npmInstall(folder, source, env)
    const name = nameIn(folder)
    const root = path.join(folder, 'node_modules', name)
    const found = readPluginPackage(root, name)
    const { tag, url } = source
    return { ...found, listed: { name, type: 'user', root, tag, url }, discard }
  } catch (error) {
    discard()
    throw error
  }
}

/** Of the one package that was asked for, as npm has written it down. */
function nameIn(folder: string): string {
  const { dependencies = {} } = JSON.parse(readText(path.join(folder, 'package.json')) ?? '{}') as {
    dependencies?: Record<string, string>
  }
  const [name] = Object.keys(dependencies)
  if (name === undefined) throw new ConnectError('PLUGIN_NOT_INSTALLED', 'npm has installed nothing')
  return name
}

/**
 * Removes what no plugin in the list is in: of commands that were killed, and of what was uninstalled. It
 * goes by names, which chance has made: a home may be called otherwise than when the list was written.
 */
export function sweep(dataFolder: string, plugins: readonly ListedPlugin[]): void {
  const all = installFolder(dataFolder)
  const used = new Set(plugins.flatMap((plugin) => rootOf(dataFolder, plugin).split(path.sep)))
  for (const entry of foldersIn(all))
    if (!used.has(entry)) rmSync(path.join(all, entry), { recursive: true, force: true })
  // What oclif itself has installed all lies together, in its own folder.
  const old = plugins.some(({ type, root }) => type === 'user' && root === undefined)
  if (!old) rmSync(path.join(dataFolder, 'node_modules'), { recursive: true, force: true })
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((entry) => entry.startsWith('plugin-'))
  } catch {
    // Nothing was ever installed.
    return []
  }
}
