import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** A plugin that the user has installed or linked. */
export interface InstalledPlugin {
  readonly name: string
  readonly folder: string
}

/**
 * All of this user's, by the package.json that oclif keeps of them.
 *
 * @returns none if that is not there, or can't be read
 */
export function installedPlugins(): InstalledPlugin[] {
  const data = oclifData()
  try {
    const text = readFileSync(path.join(data, 'package.json'), 'utf8')
    const { oclif } = JSON.parse(text) as { oclif: { plugins: (string | { name: string; root?: string })[] } }
    return oclif.plugins.map((plugin) => {
      const { name, root } = typeof plugin === 'string' ? { name: plugin } : plugin
      return { name, folder: root ?? path.join(data, 'node_modules', name) }
    })
  } catch {
    return []
  }
}

/** Where oclif keeps plugins: dataDir of its Config, for a program whose `dirname` is ours. */
function oclifData(): string {
  const { CONNECT_DATA_DIR, LOCALAPPDATA, XDG_DATA_HOME } = process.env
  if (CONNECT_DATA_DIR) return CONNECT_DATA_DIR
  const base = XDG_DATA_HOME || (process.platform === 'win32' && LOCALAPPDATA)
  return path.join(base || path.join(homedir(), '.local', 'share'), 'private-connect')
}
