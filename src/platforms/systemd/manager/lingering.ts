import { describeResult } from '../../../process/run.ts'
import { userName } from '../../../runtime/user-database.ts'
import type { UserManager } from './systemctl.ts'

/**
 * loginctl(1): with lingering a user's manager, and with it the daemon, starts on boot and
 * outlives every login.
 */
export type Lingering = 'on' | 'off' | 'unknown'

/** For a user who may not enable lingering. */
export const LINGER_COMMAND = 'sudo loginctl enable-linger "$USER"'

/**
 * logind knows only users that are logged in or linger. loginctl asks it twice: the last is what it says of
 * one that was let go in between (EBADR, systemd 252).
 */
const NOT_KNOWN = /not logged in or lingering|No such user|No such process|Invalid request descriptor/i

export async function readLingering(manager: UserManager): Promise<Lingering> {
  const uid = String(process.getuid?.())
  const answer = await manager.run(['loginctl', 'show-user', uid, '--property=Linger', '--value'])
  const value = answer.stdout.trim()
  if (answer.outcome === 'exited' && answer.code === 0) {
    if (value === 'yes') return 'on'
    if (value === 'no') return 'off'
    return 'unknown'
  }
  return NOT_KNOWN.test(answer.stderr) ? 'off' : 'unknown'
}

/**
 * Asks logind to turn lingering on or off, without a prompt, and looks whether that was done.
 *
 * @returns why it isn't as wanted; undefined if it is
 */
export async function setLingering(manager: UserManager, wanted: 'on' | 'off'): Promise<string | undefined> {
  const verb = wanted === 'on' ? 'enable-linger' : 'disable-linger'
  // Outside of a login session loginctl does not know which user is meant.
  const answer = await manager.run(['loginctl', '--no-ask-password', verb, userName()])
  const now = await readLingering(manager)
  if (now === wanted) return undefined
  if (answer.outcome === 'exited' && answer.code === 0) return `loginctl said yes, but lingering is ${now}`
  return `loginctl ${verb} ${describeResult(answer)}`
}
