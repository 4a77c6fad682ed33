import type { Instance } from '../../config/instance.ts'
import { findProcess, type FoundProcess } from '../../control/find-process.ts'

/** Whether the process of an instance runs. */
export interface ProcessHere {
  readonly state: 'running' | 'stopped' | 'unknown'
  /** `daemon` is kept alive by a platform, `foreground` runs in someone's terminal; null unless it runs. */
  readonly mode: 'daemon' | 'foreground' | null
  readonly pid: number | null
  /** Why the state is unknown; null otherwise. */
  readonly reason: string | null
}

export const UNKNOWN: ProcessHere = { state: 'unknown', mode: null, pid: null, reason: null }

const STOPPED: ProcessHere = { ...UNKNOWN, state: 'stopped' }

/** Asks no platform: what is installed does not tell what runs. @throws ConnectError as findProcess */
export async function processHere(instance: Instance): Promise<ProcessHere> {
  return asHere(await findProcess(instance))
}

export function asHere(found: FoundProcess): ProcessHere {
  switch (found.state) {
    case 'running': {
      const { mode, pid } = found.agent
      return { state: 'running', mode, pid, reason: null }
    }
    case 'unknown': {
      return { ...UNKNOWN, reason: found.reason }
    }
    default: {
      return STOPPED
    }
  }
}
