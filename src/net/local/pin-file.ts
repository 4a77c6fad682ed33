import { closeSync, openSync } from 'node:fs'

/** Linux: the file alone, without a right to read or write it (open(2)). Node.js has no name for it. */
const O_PATH = 0o10_000_000

/** A file that stays the same one, whatever becomes of its name. */
export interface PinnedFile {
  readonly path: string
  release(): void
}

/**
 * Pins a file, so that the one that is looked at is the one that is used. Only Linux can: elsewhere it is the
 * path as it was.
 *
 * @throws the system's error
 */
export function pinFile(file: string): PinnedFile {
  if (process.platform !== 'linux') return { path: file, release() {} }
  const descriptor = openSync(file, O_PATH)
  return { path: `/proc/self/fd/${descriptor}`, release: () => closeSync(descriptor) }
}
