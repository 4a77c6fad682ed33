import { userInfo } from 'node:os'

/**
 * Who runs this: the name that the user database has, or the number where it has none, as loginctl(1)
 * takes it too.
 */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    // No entry in passwd(5), as in a container that is given any number.
    return String(process.getuid?.() ?? 0)
  }
}

/**
 * The home folder that the user database has, whatever HOME says; undefined if it does not know this user.
 */
export function recordedHome(): string | undefined {
  try {
    return userInfo().homedir
  } catch {
    return undefined
  }
}
