/** What decides where `connect up` runs its agent. */
export interface UpFlags {
  readonly detach: boolean
  readonly foreground: boolean
}

/**
 * Whether `connect up` hands over to a daemon: when told to, and by itself where CI is set and there
 * is no terminal.
 */
export function willDetach({ detach, foreground }: UpFlags): boolean {
  const isUnattendedCi = Boolean(process.env.CI) && !process.stdin.isTTY && !process.stdout.isTTY
  return detach || (isUnattendedCi && !foreground)
}
