import { readSync } from 'node:fs'
import {
  beginsLike,
  closeGenerations,
  MAX_BYTES,
  openGenerations,
  readHead,
  type Generations,
} from './generations.ts'

const BLOCK = 64 * 1024
/**
 * A longer line is given in pieces: a file full of zeros, as a crash may leave it, must not be read
 * for one line.
 */
export const MAX_LINE = 1024 * 1024
/** Each miss means that the log was rotated while its last lines were read. */
const ATTEMPTS = 20

/** Where in a log a reader has got to. */
export interface LogPosition {
  /** How the file began; empty if there was none, or nothing in it. */
  readonly head: Buffer
  readonly offset: number
  /** How the files began that had been rotated out of it before, newest first. */
  readonly rotatedHeads: readonly Buffer[]
}

/**
 * Reads a log backwards from its end, and on into what was rotated out of it, only as far as the lines
 * are asked for, and never further back than MAX_BYTES.
 *
 * @param select gets the lines, newest first; called again if a rotation came in between
 * @param options.wholeLines leaves out a last line that has no newline yet
 * @throws ConnectError LOG_UNREADABLE
 */
export function readTail<T>(
  file: string,
  select: (lines: Iterable<string>) => T,
  options: { wholeLines?: boolean } = {},
): { found: T; end: LogPosition } {
  for (let attempt = 1; ; attempt++) {
    const generations = openGenerations(file)
    try {
      const { current, rotated } = generations
      const size = current?.size ?? 0
      const offset = current && options.wholeLines ? endOfLines(current.descriptor, size) : size
      const found = select(linesOf(generations, offset))
      const head = current?.head ?? Buffer.alloc(0)
      const untouched = !current || size === 0 || beginsLike(readHead(current.descriptor), head)
      if (untouched || attempt === ATTEMPTS) {
        return { found, end: { head, offset, rotatedHeads: rotated.map((generation) => generation.head) } }
      }
    } finally {
      closeGenerations(generations)
    }
  }
}

function* linesOf({ current, rotated }: Generations, end: number): Generator<string> {
  const files = [...(current ? [{ ...current, size: end }] : []), ...rotated]
  let left = MAX_BYTES
  for (const { descriptor, size } of files) {
    yield* linesBackwards(descriptor, Math.max(0, size - left), size)
    left -= Math.min(left, size)
  }
}

/** The lines of a part of a file, the last one first; with or without a newline at its end. */
function* linesBackwards(descriptor: number, from: number, to: number): Generator<string> {
  let rest: Buffer[] = []
  let restLength = 0
  // What follows the last newline is no line if it is empty.
  let needsText = true
  for (let position = to; position > from;) {
    const block = readBlock(descriptor, Math.max(from, position - BLOCK), position)
    position = Math.max(from, position - BLOCK)
    let end = block.length
    for (let newline = block.lastIndexOf(0x0a); newline !== -1;) {
      const piece = block.subarray(newline + 1, end)
      if (!needsText || piece.length + restLength > 0) yield decode([piece, ...rest])
      needsText = false
      rest = []
      restLength = 0
      end = newline
      newline = end === 0 ? -1 : block.lastIndexOf(0x0a, end - 1)
    }
    rest.unshift(block.subarray(0, end))
    restLength += end
    if (restLength >= MAX_LINE) {
      yield decode(rest)
      needsText = true
      rest = []
      restLength = 0
    }
  }
  if (from < to && (!needsText || restLength > 0)) yield decode(rest)
}

/** Shorter than asked for if the file has been cut meanwhile. */
function readBlock(descriptor: number, from: number, to: number): Buffer {
  const block = Buffer.allocUnsafe(to - from)
  return block.subarray(0, readSync(descriptor, block, 0, block.length, from))
}

function decode(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString('utf8')
}

/** Where the last line that is whole ends. */
function endOfLines(descriptor: number, size: number): number {
  for (let position = size; position > Math.max(0, size - MAX_LINE); position -= BLOCK) {
    const from = Math.max(0, position - BLOCK)
    const newline = readBlock(descriptor, from, position).lastIndexOf(0x0a)
    if (newline !== -1) return from + newline + 1
  }
  // Nothing but one line so far: all of it is still to come.
  return size > MAX_LINE ? size : 0
}
