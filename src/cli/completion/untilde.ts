import { homedir } from 'node:os'

/** A path as a shell would hand it on, which has expanded nothing yet when it completes a word. */
export function untilde(typed: string): string {
  return typed.replace(/^~(?=\/|$)/, () => homedir())
}
