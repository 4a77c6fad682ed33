import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'vitest'

export interface Needs {
  /** Programs that must be on PATH, or absolute paths. */
  readonly programs?: readonly string[]
  readonly root?: boolean
  /** Mounts and processes of its own, which many containers do not allow. */
  readonly namespaces?: boolean
}

/**
 * Tests that need more than Node. Where that is missing they are skipped and say why; under CI, where
 * everything is to be installed, that is a failure.
 */
export function labSuite(title: string, needs: Needs, body: () => void): void {
  const reason = whatIsMissing(needs)
  if (reason === undefined) describe(title, body)
  else if (process.env.CI) {
    test(title, () => {
      throw new Error(`${reason}. Run: scripts/lab-setup.sh`)
    })
  } else describe.skip(`${title} (${reason})`, body)
}

function whatIsMissing({ programs = [], root = false, namespaces = false }: Needs): string | undefined {
  const missing = programs.filter((program) => !isThere(program))
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  if (root && process.getuid?.() !== 0) return 'needs root'
  return namespaces && !mayUnshare() ? 'needs the right to make namespaces' : undefined
}

function mayUnshare(): boolean {
  return spawnSync('unshare', ['--mount', '--pid', '--cgroup', '--fork', '--mount-proc', 'true']).status === 0
}

function isThere(program: string): boolean {
  const folders = path.isAbsolute(program) ? [''] : (process.env.PATH ?? '').split(path.delimiter)
  return folders.some((folder) => isExecutable(path.join(folder, program)))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
