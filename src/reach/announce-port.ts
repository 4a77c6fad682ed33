import { announce, type Announcement, type ReachPresence } from '../control/presence.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log/log.ts'

/**
 * Announces a port, or a socket, that leads to a service, so that no agent of this machine takes it for a
 * target, and goes round in a loop.
 *
 * @returns undefined if that can't be written. On a full disk, say: what it is for is rare, and what the port
 * is for goes on
 */
export function announcePort(place: Omit<ReachPresence, 'kind'>, log: Log): Announcement | undefined {
  const failed = (error: unknown) => log(`[!] ${messageOf(error)}`, 'warn')
  try {
    return announce({ kind: 'reach', ...place }, failed)
  } catch (error) {
    failed(error)
    return undefined
  }
}
