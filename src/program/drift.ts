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
 * @param kept what it is
 * @returns sentences without a full stop; none if nothing differs
 */
export function describeDrift(running: Program, wanted: Program, kept = 'daemon'): string[] {
  return [
    ...versionDrift(kept, running.version, wanted.version),
    ...fileDrift(`${kept}’s script`, running.script, wanted.script),
    ...fileDrift(`${kept}’s Node.js`, running.node, wanted.node),
  ]
}

function versionDrift(kept: string, running: string, wanted: string): string[] {
  if (running === wanted) return []
  return [`The ${kept} runs version ${running}, and ${wanted} is installed`]
}

function fileDrift(what: string, running: string, wanted: string): string[] {
  const file = realPathIfThere(running)
  if (file === undefined) return [`The ${what} is gone: ${tilde(running)}`]
  if (file === realPathIfThere(wanted)) return []
  return [`The ${what} is ${tilde(running)}, and would now be ${tilde(wanted)}`]
}
