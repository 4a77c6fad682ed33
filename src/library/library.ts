// What another program imports by the package's name, and all of it. The rest is loaded once it is used.
import type { DaemonStatus } from '../tasks/status.ts'
import type { Exposed, ExposeOptions, UnexposeOptions } from './exposed.ts'
import type { InstanceOptions } from './instance-options.ts'
import type { Reached, ReachOptions } from './reached.ts'

export type { ErrorCode } from '../error-codes.ts'
export { ConnectError } from '../errors.ts'
export type { DaemonStatus } from '../tasks/status.ts'
export type { Exposed, ExposeOptions, UnexposeOptions } from './exposed.ts'
export type { InstanceOptions } from './instance-options.ts'
export type { ConnectOptions, ListenOptions, LocalListener, Reached, ReachOptions } from './reached.ts'

/**
 * Makes a service of the workspace reachable from this program, over a link of its own, until it is closed.
 * The link is kept up as that of `connect reach`: it reconnects by itself, and connections go on over the
 * next one if that comes within 30 s. It keeps the process alive.
 *
 * @param name what the service is exposed as
 * @throws ConnectError NOT_CONFIGURED, SERVICE_UNKNOWN, HUB_UNREACHABLE, BAD_NAME and others; the signal's
 * reason
 */
export async function reach(name: string, options: ReachOptions = {}): Promise<Reached> {
  const { openReached } = await import('./open-reached.ts')
  return openReached(name, options)
}

/**
 * Exposes a service as `connect expose` does: it is saved, and the agent of this machine serves it, not
 * this program. So it outlives the program; `unexpose` takes it back.
 *
 * @param target `[HOST:]PORT`, without a host this machine, or `unix:PATH`
 * @throws ConnectError NOT_CONFIGURED, NAME_TAKEN, BAD_TARGET, BAD_NAME and others
 */
export async function expose(target: string | number, options: ExposeOptions): Promise<Exposed> {
  const { exposeTarget } = await import('./expose-target.ts')
  return exposeTarget(target, options)
}

/**
 * Takes back what is exposed, as `connect unexpose` does, and ends the connections to it.
 *
 * @returns whether this machine exposed it
 * @throws ConnectError NOT_CONFIGURED and others
 */
export async function unexpose(name: string, options: UnexposeOptions = {}): Promise<boolean> {
  const { unexposeName } = await import('./expose-target.ts')
  return unexposeName(name, options)
}

/**
 * What `connect daemon status --json` says. Platforms that plugins bring are not known here: only the
 * built-in ones are asked.
 *
 * @throws ConnectError if there is a config that can't be used
 */
export async function daemonStatus(options: InstanceOptions = {}): Promise<DaemonStatus> {
  const { statusOf } = await import('./status-of.ts')
  return statusOf(options)
}
