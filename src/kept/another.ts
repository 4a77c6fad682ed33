import type { Instance, Kind } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'

/** Of each kind, what is said where another process has what this one needs. */
const ANOTHER = {
  agent: {
    error: (message = 'Another agent is running') => new ConnectError('AGENT_RUNNING', message),
    waits: () => 'Waiting for another agent of this instance to end',
  },
  hub: {
    error: (message: string | undefined, { folder }: Instance) =>
      new ConnectError('HUB_RUNNING', message ?? `A hub is already running on ${folder}`),
    waits: ({ folder }: Instance) => `Waiting for another hub on ${folder} to end`,
  },
} as const satisfies Record<Kind, unknown>

/** AGENT_RUNNING or HUB_RUNNING. @param message default: that another one runs */
export function anotherRuns(instance: Instance, message?: string): ConnectError {
  return ANOTHER[instance.kind].error(message, instance)
}

export function waitsForAnother(instance: Instance): string {
  return ANOTHER[instance.kind].waits(instance)
}

export function isAnotherRunning(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === 'AGENT_RUNNING' || error.code === 'HUB_RUNNING')
}
