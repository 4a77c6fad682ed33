import { createReadStream, fstatSync, ReadStream } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { ConnectError } from '../../errors.ts'

const STDIN = 0

/**
 * stdin, all of it: what Node.js doesn't know, as a disk, it takes for something empty.
 *
 * @throws ConnectError STDIO_FAILED if it is a folder
 */
export function byteInput(): Readable {
  if (fstatSync(STDIN).isDirectory())
    throw new ConnectError('STDIO_FAILED', 'stdin can’t be read: it is a folder')
  const { stdin } = process
  const isKnown = stdin instanceof Socket || (stdin as Readable) instanceof ReadStream
  return isKnown ? stdin : createReadStream('', { fd: STDIN, autoClose: false })
}
