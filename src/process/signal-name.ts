import { constants } from 'node:os'

/** @returns `SIGTERM` and the like; `signal 99` for one that this system does not know */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return found?.[0] ?? `signal ${number}`
}
