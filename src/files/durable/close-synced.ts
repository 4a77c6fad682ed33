import { closeSync } from 'node:fs'

/** Closes what was synced: an error of close(2) is not about that any more. */
export function closeSynced(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch {
    // The descriptor is closed all the same.
  }
}
