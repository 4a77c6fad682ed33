import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { codeOf, ConnectError, messageOf } from '../errors.ts'

/** More than any file of ours that is read as a whole has, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024

/** How much is read at once, in bytes. */
const BLOCK = 64 * 1024

/**
 * Reads a small file of text. All that is read as a whole where we or others of this user keep it comes
 * through here: a FIFO or a device in its place must hold nothing up.
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
    throw unreadable(file, error)
  }
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile()) throw new ConnectError('CONFIG_UNREADABLE', `${file} is not a file`)
    check(found)
    if (found.size > MAX_BYTES) throw new ConnectError('CONFIG_UNREADABLE', `${file} is far too large`)
    return readAll(file, descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function readAll(file: string, descriptor: number): string {
  try {
    return readBounded(descriptor)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, cause: unknown): ConnectError {
  return new ConnectError('CONFIG_UNREADABLE', `Could not read ${file}: ${messageOf(cause)}`, { cause })
}

/**
 * Reads what was opened to its end. What has none, as /dev/zero, or grows meanwhile, is not read for ever.
 *
 * @throws Error if that is more than MAX_BYTES; the system's error
 */
export function readBounded(descriptor: number): string {
  const blocks: Buffer[] = []
  let bytes = 0
  for (const block of blocksOf(descriptor)) {
    bytes += block.length
    if (bytes > MAX_BYTES) throw new Error('it is far too large')
    blocks.push(block)
  }
  return Buffer.concat(blocks).toString('utf8')
}

/** What was opened, from where it stands to its end. @throws the system's error */
export function* blocksOf(descriptor: number): Generator<Buffer> {
  for (;;) {
    const block = Buffer.allocUnsafe(BLOCK)
    const length = readSync(descriptor, block)
    if (length === 0) return
    yield block.subarray(0, length)
  }
}
