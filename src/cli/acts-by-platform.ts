/** Of the hub’s commands: those on the hub as something that is kept. */
const ON_KEPT_HUB = ['install', 'uninstall', 'start', 'stop', 'restart', 'status', 'logs']

/**
 * Whether a command acts by a platform, which a plugin may bring: on the daemon, on the hub that is kept, or
 * by handing over to the daemon. Of ours no others load what the user has installed, so that nothing of that
 * can slow them down, or break them. `connect hub` alone is a hub, and keeps nothing.
 *
 * @param words of the command, as typed or of its id
 */
export function actsByPlatform([word = '', next = '']: readonly string[]): boolean {
  return ['daemon', 'doctor', 'up'].includes(word) || (word === 'hub' && ON_KEPT_HUB.includes(next))
}
