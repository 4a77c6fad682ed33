import { homedir } from 'node:os'
import path from 'node:path'

/** A path as people write it: `~/…` where it lies under the home folder. */
export function tilde(file: string, homeFolder = homedir()): string {
  // HOME may end with a slash.
  const home = path.resolve(homeFolder)
  if (file === home) return '~'
  return file.startsWith(home + path.sep) ? `~${file.slice(home.length)}` : file
}
