import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  readSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs'
import { messageOf } from '../../errors.ts'
import { openOurs } from '../../files/open-ours.ts'
import { formatLine, type Level } from '../line.ts'
import type { Log } from '../log.ts'
import { isSameFile } from './generations.ts'
import { finishRotation, rotate } from './rotation.ts'

export interface LogFileOptions {
  /** A line that would make the file longer goes into a new one. Default 10 MiB. */
  readonly maxBytes?: number
  /** How many files that were rotated out are kept, 1 to 9. Default 3. */
  readonly keep?: number
}

/** The kept-alive agent's log. Whatever the disk does, none of this throws but openLogFile itself. */
export interface LogFile {
  readonly write: Log
  /** From now on this process alone may rotate the log; until then it only appends. */
  readonly takeOver: () => void
  /** Makes the file anew if someone has deleted or renamed it, for when nothing is written for long. */
  readonly housekeeping: () => void
  readonly close: () => void
}

const RETRY_MS = 60_000
const NEWLINE = 0x0a
const CLOSED = -1

/**
 * Appends to the log through a descriptor of its own, whoever else writes there.
 *
 * @throws Error if it can't be opened, ConnectError FILE_UNTRUSTED if it is not ours
 */
export function openLogFile(file: string, options: LogFileOptions = {}): LogFile {
  const { maxBytes = 10 * 1024 * 1024, keep = 3 } = options
  let { descriptor, stats } = open(file)
  let isOurs = false
  /** A line broke off before its newline: the disk was full, or its writer was killed. */
  let isTorn = false
  let retryAt = 0
  /** Lines that could not be written since the last one that could. */
  let missing = 0

  function say(text: string, level: Level): void {
    try {
      if (missing > 0)
        append(lineOf(`[!] ${missing === 1 ? '1 line is' : `${missing} lines are`} missing here`, 'warn'))
      missing = 0
      append(lineOf(text, level))
    } catch {
      // A full or broken disk costs the line, not the connections that the agent carries.
      missing++
    }
  }

  function append(line: string): void {
    reopenIfMoved()
    const { size } = fstatSync(descriptor)
    if (isOurs && size > 0 && size + Buffer.byteLength(line) > maxBytes) tryToRotate()
    writeAll(line)
  }

  function reopenIfMoved(): void {
    if (descriptor === CLOSED) return
    try {
      const found = statSync(file, { throwIfNoEntry: false })
      if (found && isSameFile(found, stats)) return
      const next = open(file)
      closeSync(descriptor)
      descriptor = next.descriptor
      stats = next.stats
      isTorn = false
    } catch {
      // The folder is gone, or closed to us: the file that is still open is better than none.
      return
    }
    if (isOurs) ignoreErrors(tighten)
  }

  function writeAll(line: string): void {
    const bytes = Buffer.from(isTorn ? `\n${line}` : line)
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written)
      isTorn = written < bytes.length
    }
  }

  function tryToRotate(): void {
    if (performance.now() < retryAt) return
    try {
      rotate(file, descriptor, keep)
      retryAt = 0
      isTorn = false
    } catch (error) {
      const isFirst = retryAt === 0
      retryAt = performance.now() + RETRY_MS
      const text = `[!] The log could not be rotated: ${messageOf(error)}`
      if (isFirst) writeAll(lineOf(text, 'warn'))
    }
  }

  function tighten(): void {
    if ((fstatSync(descriptor).mode & 0o077) !== 0) fchmodSync(descriptor, 0o600)
  }

  return {
    write: (text, level = 'info') => say(text, level),
    takeOver() {
      isOurs = true
      reopenIfMoved()
      ignoreErrors(tighten)
      ignoreErrors(() => finishRotation(file, descriptor))
      ignoreErrors(() => (isTorn = endsTorn(descriptor)))
    },
    housekeeping: () => ignoreErrors(reopenIfMoved),
    close() {
      closeSync(descriptor)
      // The number may soon be another file's: a late line must not go there.
      descriptor = CLOSED
    },
  }
}

function lineOf(text: string, level: Level): string {
  return `${formatLine(new Date(), level, text)}\n`
}

function open(file: string): { descriptor: number; stats: Stats } {
  const descriptor = openOurs(file, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR)
  return { descriptor, stats: fstatSync(descriptor) }
}

function endsTorn(descriptor: number): boolean {
  const last = Buffer.alloc(1)
  const { size } = fstatSync(descriptor)
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE
}

function ignoreErrors(work: () => void): void {
  try {
    work()
  } catch {
    // A full or broken disk costs the line, not the connections that the agent carries.
  }
}
