import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { NotAFileError } from './check-is-file.ts'
import { checkTrusted } from './trust.ts'

/**
 * Reads a file that someone has named, and that is believed: a certificate, a key, a token.
 *
 * @param options.pipe it may also be a pipe, as a shell makes for <(command)
 * @throws ConnectError FILE_UNTRUSTED; NotAFileError; the system's error
 */
export function readTrusted(file: string, options: { pipe?: boolean } = {}): string {
  return readTrustedBytes(file, options).toString('utf8')
}

/** The same for what is no text. @throws as readTrusted */
export function readTrustedBytes(file: string, options: { pipe?: boolean } = {}): Buffer {
  // NONBLOCK: a FIFO without a writer would be waited for, for ever.
  const descriptor = openSync(file, constants.O_RDONLY | (options.pipe ? 0 : (constants.O_NONBLOCK ?? 0)))
  try {
    const found = fstatSync(descriptor)
    if (found.isFile()) checkTrusted(file, found)
    else if (!options.pipe) throw new NotAFileError('it is not a file')
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
