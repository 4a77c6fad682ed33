import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { NotAFileError } from './check-is-file.ts'
import { blocksOf, readBounded } from './read-text.ts'
import { checkTrusted } from './trust.ts'

/**
 * Reads a file that someone has named, and that is believed: a certificate, a key, a token.
 *
 * @param options.pipe it may also be a pipe, as a shell makes for <(command)
 * @throws ConnectError FILE_UNTRUSTED; NotAFileError; Error if it is far too large; the system's error
 */
export function readTrusted(file: string, options: { pipe?: boolean } = {}): string {
  const descriptor = openTrusted(file, options)
  try {
    return readBounded(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Reads one that is not held to any size, block by block. @throws as readTrusted */
export function* readTrustedBlocks(file: string): Generator<Buffer> {
  const descriptor = openTrusted(file)
  try {
    yield* blocksOf(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** @returns its descriptor, which the caller closes */
function openTrusted(file: string, options: { pipe?: boolean } = {}): number {
  // NONBLOCK: a FIFO without a writer would be waited for, for ever.
  const descriptor = openSync(file, constants.O_RDONLY | (options.pipe ? 0 : (constants.O_NONBLOCK ?? 0)))
  try {
    const found = fstatSync(descriptor)
    if (found.isFile()) checkTrusted(file, found)
    else if (!options.pipe) throw new NotAFileError('it is not a file')
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
