import type { Instance, Kind } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'

/** Of each kind, what is said where another process has what this one needs. */
const ANOTHER = {
  agent: {
    code: 'AGENT_RUNNING',
    runs: () => 'Another agent is running',
    waits: () => 'Waiting for another agent of this instance to end',
  },
  hub: {
    code: 'HUB_RUNNING',
    runs: ({ folder }: Instance) => `A hub is already running on ${folder}`,
    waits: ({ folder }: Instance) => `Waiting for another hub on ${folder} to end`,
  },
} as const satisfies Record<Kind, unknown>

/** AGENT_RUNNING or HUB_RUNNING. @param message default: that another one runs */
export function anotherRuns(
  instance: Instance,
  message: string = ANOTHER[instance.kind].runs(instance),
): ConnectError {
  return new ConnectError(ANOTHER[instance.kind].code, message)
}

export function waitsForAnother(instance: Instance): string {
  return ANOTHER[instance.kind].waits(instance)
}

export function isAnotherRunning(error: unknown): boolean {
  return error instanceof ConnectError && Object.values(ANOTHER).some(({ code }) => code === error.code)
}
