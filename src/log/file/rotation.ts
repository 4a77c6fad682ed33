import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../errors.ts'
import { syncFolder } from '../../files/durable/sync-folder.ts'
import { MAX_BYTES, rotatedName } from './generations.ts'

const BLOCK = 256 * 1024

/**
 * Moves what a log holds into `FILE.1`, what that held into `FILE.2`, and so on. The log itself is copied and
 * then cut in place: whoever else appends to it keeps doing so. A kill at any moment loses nothing. Of more
 * than any log of ours has, only the end is kept: all would be copied while the agent stands still.
 *
 * @param descriptor the log, open for reading and appending
 * @param keep the highest number
 * @throws Error of the file system; the log is then as it was
 */
export function rotate(file: string, descriptor: number, keep: number): void {
  const temporary = temporaryFor(file)
  rmSync(temporary, { force: true })
  const copy = openSync(temporary, 'wx', 0o600)
  try {
    const from = Math.max(0, fstatSync(descriptor).size - MAX_BYTES)
    let copied = copyFrom(descriptor, from, copy)
    fsyncSync(copy)
    if (!isCopied(file, descriptor)) shift(file, keep)
    renameSync(temporary, rotatedName(file, 1))
    // The rename must not get lost once the log is empty.
    syncFolder(path.dirname(file))
    // What others have added since.
    while (fstatSync(descriptor).size > copied) copied = copyFrom(descriptor, copied, copy)
    ftruncateSync(descriptor, 0)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(copy)
  }
}

/** Tidies up after a process that was killed while it rotated the log. */
export function finishRotation(file: string, descriptor: number): void {
  rmSync(temporaryFor(file), { force: true })
  if (isCopied(file, descriptor)) rotate(file, descriptor, 1)
}

function temporaryFor(file: string): string {
  return `${file}.tmp`
}

/** @returns the offset that it has got to */
function copyFrom(source: number, offset: number, target: number): number {
  const block = Buffer.allocUnsafe(BLOCK)
  for (let position = offset; ;) {
    const length = readSync(source, block, 0, BLOCK, position)
    if (length === 0) return position
    position += length
    for (let written = 0; written < length;) written += writeSync(target, block, written, length - written)
  }
}

/** Whether `FILE.1` holds the beginning of the log: a rotation was cut short before it emptied the log. */
function isCopied(file: string, descriptor: number): boolean {
  const newest = openIfThere(rotatedName(file, 1))
  if (newest === undefined) return false
  try {
    const { size } = fstatSync(newest)
    if (size === 0 || size > fstatSync(descriptor).size) return false
    const [one, other] = [Buffer.allocUnsafe(BLOCK), Buffer.allocUnsafe(BLOCK)]
    for (let position = 0; position < size;) {
      const length = readSync(newest, one, 0, BLOCK, position)
      const otherLength = readSync(descriptor, other, 0, length, position)
      if (length === 0 || !one.subarray(0, length).equals(other.subarray(0, otherLength))) return false
      position += length
    }
    return true
  } finally {
    closeSync(newest)
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Makes room at number 1. Where a kill has left a gap, no more than up to there: the oldest is not
 * dropped for nothing.
 */
function shift(file: string, keep: number): void {
  let free = 1
  while (free < keep && existsSync(rotatedName(file, free))) free++
  for (let to = free; to > 1; to--) renameSync(rotatedName(file, to - 1), rotatedName(file, to))
}
