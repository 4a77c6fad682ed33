import { fstatSync } from 'node:fs'

/** Whether this process has the descriptor open. */
export function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}
