import { realPathIfThere } from '../files/real-path.ts'
import { tilde } from '../text/tilde.ts'
import type { Executable } from './executable.ts'

/** Which program a daemon is: where it lies, and its version. */
export interface Program extends Executable {
  readonly version: string
}

/**
 * Tells how the program that runs, or that is installed as a service, differs from the one that a
 * restart would start.
 *
 * @returns sentences without a full stop; none if nothing differs
 */
export function describeDrift(running: Program, wanted: Program): string[] {
  return [
    ...versionDrift(running.version, wanted.version),
    ...fileDrift('script', running.script, wanted.script),
    ...fileDrift('Node.js', running.node, wanted.node),
  ]
}

function versionDrift(running: string, wanted: string): string[] {
  if (running === wanted) return []
  return [`The daemon runs version ${running}, and ${wanted} is installed`]
}

function fileDrift(what: string, running: string, wanted: string): string[] {
  const file = realPathIfThere(running)
  if (file === undefined) return [`The daemon’s ${what} is gone: ${tilde(running)}`]
  if (file === realPathIfThere(wanted)) return []
  return [`The daemon’s ${what} is ${tilde(running)}, and would now be ${tilde(wanted)}`]
}
