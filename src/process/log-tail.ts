import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf, ConnectError, messageOf } from '../errors.ts'

const BLOCK = 64 * 1024

/**
 * Reads a file's last lines from its end, so that a huge log opens as fast as a small one.
 *
 * @param count how many lines at the most
 * @param from leaves out what stands before this offset, in bytes
 * @returns undefined if there is no such file
 */
export function lastLines(file: string, count: number, from = 0): string[] | undefined {
  try {
    const descriptor = openSync(file, 'r')
    try {
      return readBackwards(descriptor, count, from)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new ConnectError('CONFIG_UNREADABLE', `Could not read ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function readBackwards(descriptor: number, count: number, from: number): string[] {
  const blocks: Buffer[] = []
  let position = fstatSync(descriptor).size
  let newlines = 0
  // One newline more than lines: the first line is whole only if the one before it is seen to end.
  while (position > from && newlines <= count) {
    const length = Math.min(BLOCK, position - from)
    const block = Buffer.alloc(length)
    const read = readSync(descriptor, block, 0, length, position - length)
    position -= length
    blocks.unshift(block.subarray(0, read))
    for (const byte of block.subarray(0, read)) if (byte === 0x0a) newlines++
  }
  const text = Buffer.concat(blocks).toString('utf8')
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  return text === '' ? [] : lines.slice(-count)
}
