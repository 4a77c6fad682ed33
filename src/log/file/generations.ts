import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'

/** One file that is, or was, the log. */
export interface Generation {
  readonly descriptor: number
  /** Its first bytes: lines begin with the time, so no two generations begin alike. */
  readonly head: Buffer
  readonly size: number
}

/** The log and what was rotated out of it, all opened at one moment between two rotations. */
export interface Generations {
  readonly current: Generation | undefined
  /** Newest first, without those that are empty or mere copies. */
  readonly rotated: readonly Generation[]
}

/** No log is kept in more files than this, however it is set. */
const MAX_ROTATED = 9

/**
 * What is in files that are longer together is no log of ours, see LogFileOptions: a crash has left zeros, or
 * somebody else has filled them. In bytes.
 */
export const MAX_BYTES = 64 * 1024 * 1024

const HEAD_BYTES = 1024
/** Each miss means that a rotation took place in the very microseconds of the look. */
const ATTEMPTS = 100

/** The file that holds what was rotated out of the log: 1 is the newest. */
export function rotatedName(file: string, number: number): string {
  return `${file}.${number}`
}

export function readHead(descriptor: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0))
}

/**
 * Whether a file that began like this once may be the one that begins like that now: files grow at
 * their end only.
 */
export function beginsLike(now: Buffer, once: Buffer): boolean {
  return once.length > 0 && now.length >= once.length && now.subarray(0, once.length).equals(once)
}

export function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}

/**
 * @throws ConnectError LOG_UNREADABLE if there is a log that cannot be read; what was rotated out of it and
 * cannot be read is left out
 */
export function openGenerations(file: string): Generations {
  const names = [file, ...Array.from({ length: MAX_ROTATED }, (_, index) => rotatedName(file, index + 1))]
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const opened: Opened[] = []
    try {
      for (const name of names) opened.push(name === file ? openCurrent(name) : openRotated(name))
      // The log is cut after everything else of a rotation: its head is read last, and tells of that.
      const rotated = opened.slice(1).map(lookAt)
      const current = lookAt(opened[0])
      if (names.every((name, index) => isStill(name, opened[index]))) {
        return { current, rotated: distinct(current, rotated) }
      }
    } catch (error) {
      closeAll(opened)
      throw error
    }
    closeAll(opened)
  }
  throw new ConnectError('LOG_UNREADABLE', `Could not read ${file}: it is being rotated all the time`)
}

/**
 * Without what is empty, or was copied by a rotation that was cut short before it could empty the original.
 */
function distinct(
  current: Generation | undefined,
  rotated: readonly (Generation | undefined)[],
): Generation[] {
  const kept: Generation[] = []
  for (const generation of rotated) {
    if (!generation) continue
    const newer = kept.at(-1) ?? current
    const isCopy = newer && beginsLike(newer.head, generation.head) && generation.size <= newer.size
    if (generation.size > 0 && !isCopy) kept.push(generation)
    else closeSync(generation.descriptor)
  }
  return kept
}

export function closeGenerations({ current, rotated }: Generations): void {
  closeAll([current?.descriptor, ...rotated.map(({ descriptor }) => descriptor)])
}

/** A descriptor; or why there is none. */
type Opened = number | 'absent' | 'unreadable' | undefined

function closeAll(opened: readonly Opened[]): void {
  for (const descriptor of opened) if (typeof descriptor === 'number') closeSync(descriptor)
}

function openCurrent(file: string): Opened {
  try {
    return openFile(file)
  } catch (error) {
    throw new ConnectError('LOG_UNREADABLE', `Could not read ${file}: ${messageOf(error)}`, { cause: error })
  }
}

function openRotated(file: string): Opened {
  try {
    return openFile(file)
  } catch {
    // Old lines that can't be read are no reason to hide the new ones.
    return 'unreadable'
  }
}

function openFile(file: string): number | 'absent' {
  const descriptor = openExisting(file)
  if (descriptor === undefined) return 'absent'
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw new Error('not a file')
}

function openExisting(file: string): number | undefined {
  try {
    // Opening a pipe would otherwise wait for somebody to write to it.
    return openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function lookAt(descriptor: Opened): Generation | undefined {
  if (typeof descriptor !== 'number') return undefined
  const head = readHead(descriptor)
  return { descriptor, head, size: fstatSync(descriptor).size }
}

function isStill(file: string, opened: Opened): boolean {
  if (opened === 'unreadable') return true
  const found = statSync(file, { throwIfNoEntry: false })
  return typeof opened === 'number' && found
    ? isSameFile(found, fstatSync(opened))
    : opened === 'absent' && !found
}
