import { homedir } from 'node:os'
import path from 'node:path'

/** Where oclif keeps the plugins of this user, and its list of them: its own rule, before it is loaded. */
export function pluginDataFolder(env: NodeJS.ProcessEnv, home = homedir()): string {
  if (env.CONNECT_DATA_DIR) return env.CONNECT_DATA_DIR
  const local = process.platform === 'win32' ? env.LOCALAPPDATA : undefined
  return path.join(env.XDG_DATA_HOME || local || path.join(home, '.local', 'share'), 'private-connect')
}

/** The list, as oclif and its plugin of plugins read and write it. */
export function listFile(dataFolder: string): string {
  return path.join(dataFolder, 'package.json')
}

/** Each plugin that is installed has a folder of its own in here. */
export function installFolder(dataFolder: string): string {
  return path.join(dataFolder, 'plugins')
}
