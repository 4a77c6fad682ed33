import path from 'node:path'
import type { Daemon } from './platform.ts'

/**
 * What the caller has set and the agent can't do without; nothing that may hold a secret, since a unit
 * can be read.
 */
const KEPT = ['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA'] as const

/**
 * What a service manager is to give the agent: its own environment has little, and nothing of the caller's.
 */
export function serviceEnvironment({ command, env }: Daemon, supervisor: string): Record<string, string> {
  const nodeFolder = path.dirname(command[0])
  const folders = [nodeFolder, '/usr/local/bin', '/usr/bin', '/bin'].filter((folder) => !folder.includes(':'))
  const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
  return {
    PATH: [...new Set(folders)].join(':'),
    CONNECT_DAEMON: '1',
    CONNECT_SUPERVISOR: supervisor,
    ...Object.fromEntries(kept),
  }
}
