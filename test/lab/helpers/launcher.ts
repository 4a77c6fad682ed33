import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runJs } from '../../helpers/cli.ts'

export interface Launcher {
  /** A PATH on which `connect` is found. */
  readonly path: string
  remove(): void
}

/** Puts `connect` on PATH, for scripts that call it as a user does. */
export function makeLauncher(): Launcher {
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-bin-'))
  const script = `#!/bin/sh\nexec '${process.execPath}' '${runJs}' "$@"\n`
  writeFileSync(path.join(folder, 'connect'), script, { mode: 0o755 })
  return {
    path: [folder, process.env.PATH].join(path.delimiter),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
