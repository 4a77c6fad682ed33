import { messageOf } from '../../errors.ts'
import { announce, type Announcement } from './announce.ts'
import type { Presence } from './presence.ts'

/**
 * Announces an agent, a port or a socket, so that no agent of this machine takes a `reach` for a target, and
 * goes round in a loop.
 *
 * @returns undefined if that can't be written. On a full disk, say: what it is for is rare, and what is
 * announced goes on
 */
export function tryAnnounce(
  presence: Presence,
  log: (line: string, level: 'warn') => void,
): Announcement | undefined {
  const failed = (error: unknown) => log(`[!] ${messageOf(error)}`, 'warn')
  try {
    return announce(presence, failed)
  } catch (error) {
    failed(error)
    return undefined
  }
}
