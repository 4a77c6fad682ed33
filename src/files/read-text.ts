import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { codeOf, ConnectError, messageOf } from '../errors.ts'

/**
 * Reads a small file of text.
 *
 * @param check looks at what was opened before it is read, and throws if that is not to be
 * @returns undefined if there is no such file; anything else that is wrong is an error, never "no file"
 * @throws ConnectError CONFIG_UNREADABLE
 */
export function readText(file: string, check: (found: Stats) => void = () => {}): string | undefined {
  let descriptor: number
  try {
    // NONBLOCK: a FIFO without a writer would be waited for, for ever.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new ConnectError('CONFIG_UNREADABLE', `Could not read ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile()) throw new ConnectError('CONFIG_UNREADABLE', `${file} is not a file`)
    check(found)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}
