import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A throw-away home folder, and the environment of a user who lives in it and has set nothing. */
export interface Home {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  /** A path under `~/.privateconnect`. */
  file(name: string): string
  remove(): void
}

/** @param name part of the folder's name: spaces and quotes if you like */
export function makeHome(name = 'home'): Home {
  // Short: a Unix socket's path may have 107 bytes.
  const folder = path.join(realpathSync(mkdtempSync(path.join(tmpdir(), 'pc-'))), name)
  return {
    folder,
    env: cleanEnvironment(folder),
    file: (file) => path.join(folder, '.privateconnect', file),
    remove: () => rmSync(path.dirname(folder), { recursive: true, force: true }),
  }
}

function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      // npm leads what it runs to its own npmrc.
      !/^(CONNECT_|PRIVATECONNECT_|XDG_|SUDO_|npm_|CI$|NO_COLOR$|FORCE_COLOR$|DEBUG$|VITEST|NODE_ENV$|TEST$)/.test(
        name,
      ),
  )
  return { ...Object.fromEntries(kept), HOME: home, USERPROFILE: home }
}
