import { closeSync, fstatSync, readSync, statSync } from 'node:fs'
import {
  beginsLike,
  closeGenerations,
  isSameFile,
  openGenerations,
  readHead,
  type Generation,
  type Generations,
} from './generations.ts'
import { MAX_LINE, readTail, type LogPosition } from './tail.ts'

/**
 * What has happened to a log that is followed: lines were added; or some may never be seen, because it was
 * rotated again and again between two looks, or because somebody has emptied it.
 */
export type LogEvent = { readonly lines: string[] } | { readonly missing: 'rotated' | 'emptied' }

const BLOCK = 256 * 1024
const NOTHING = Buffer.alloc(0)

/**
 * Follows a log through rotations of any kind: cut in place after a copy, renamed, deleted, emptied. Each
 * look reads on from where the one before has ended.
 */
export class LogFollower {
  readonly #file: string
  /** Kept open: a file that was renamed or deleted can then still be read to its end. */
  #descriptor: number | undefined
  #head: Buffer
  #offset: number
  #rotatedHeads: readonly Buffer[]
  /** The beginning of a line whose newline has not come yet. */
  #unfinished: Buffer[] = []

  /** @param position default: the end of what is there now */
  constructor(file: string, position: LogPosition = endOf(file)) {
    this.#file = file
    this.#head = position.head
    this.#offset = position.offset
    this.#rotatedHeads = position.rotatedHeads
    const generations = openGenerations(file)
    // Otherwise it has been rotated since: the first look finds that out.
    const isOurs = beginsLike(generations.current?.head ?? NOTHING, position.head)
    if (isOurs) this.#descriptor = generations.current?.descriptor
    closeGenerations(isOurs ? { ...generations, current: undefined } : generations)
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  /** What is new since the last look. @throws ConnectError LOG_UNREADABLE */
  *look(): Generator<LogEvent> {
    for (;;) {
      let isDrained = this.#descriptor !== undefined && (yield* this.#readOn(this.#descriptor))
      if (isDrained && this.#head.length > 0) {
        if (!this.#isReplaced()) return
        // Whoever wrote to the old file may have done so until the new one was there.
        isDrained = yield* this.#readOn(this.#descriptor!)
      }
      yield* this.#moveOn(isDrained)
      // Nothing to know it by again: the next look goes through all of the files once more.
      if (this.#head.length === 0) return
    }
  }

  /** Whether another file is the log now; an empty one is not yet. */
  #isReplaced(): boolean {
    const found = statSync(this.#file, { throwIfNoEntry: false })
    return found !== undefined && found.size > 0 && !isSameFile(found, fstatSync(this.#descriptor!))
  }

  /** Reads to the end. @returns false if the file was cut: what comes next is not what followed */
  *#readOn(descriptor: number): Generator<LogEvent, boolean> {
    for (;;) {
      const piece = Buffer.allocUnsafe(BLOCK)
      const length = readSync(descriptor, piece, 0, BLOCK, this.#offset)
      // Read after the piece: if it still is the head of old, the piece is from the same file too.
      const head = readHead(descriptor)
      const isOurs = head.length === 0 ? this.#head.length === 0 : beginsLike(head, this.#head)
      if (!isOurs || fstatSync(descriptor).size < this.#offset) return false
      if (length === 0) return true
      this.#head = head
      this.#offset += length
      yield* this.#take(piece.subarray(0, length))
    }
  }

  *#take(piece: Buffer): Generator<LogEvent> {
    const end = piece.lastIndexOf(0x0a) + 1
    if (end > 0) {
      const text = Buffer.concat([...this.#unfinished, piece.subarray(0, end - 1)]).toString('utf8')
      this.#unfinished = []
      yield { lines: text.split('\n') }
    }
    if (end < piece.length) this.#unfinished.push(piece.subarray(end))
    if (this.#unfinished.reduce((sum, { length }) => sum + length, 0) > MAX_LINE) yield* this.#breakOff()
  }

  /** No more will come of a line that breaks off. */
  *#breakOff(): Generator<LogEvent> {
    if (this.#unfinished.length === 0) return
    const text = Buffer.concat(this.#unfinished).toString('utf8')
    this.#unfinished = []
    yield { lines: [text] }
  }

  /**
   * Gives what is left of the file that was the log, and all that came between; then the one that is the log
   * now is the one to follow.
   */
  *#moveOn(isDrained: boolean): Generator<LogEvent> {
    const generations = openGenerations(this.#file)
    try {
      yield* this.#moveTo(generations, isDrained)
    } finally {
      const isKept = generations.current?.descriptor === this.#descriptor
      closeGenerations(isKept ? { ...generations, current: undefined } : generations)
    }
  }

  *#moveTo({ current, rotated }: Generations, isDrained: boolean): Generator<LogEvent> {
    if (current && beginsLike(current.head, this.#head)) {
      if (current.size < this.#offset) {
        yield { missing: 'emptied' }
        this.#unfinished = []
        this.#offset = current.size
      }
    } else {
      yield* this.#readSince(rotated, isDrained)
      yield* this.#breakOff()
      this.#offset = 0
    }
    this.close()
    this.#descriptor = current?.descriptor
    this.#head = current?.head ?? NOTHING
    this.#rotatedHeads = rotated.map(({ head }) => head)
  }

  /** The rest of the file that was the log at the last look, and all that were the log since. */
  *#readSince(rotated: readonly Generation[], isDrained: boolean): Generator<LogEvent> {
    const ours = rotated.findIndex(({ head }) => areAlike(head, this.#head))
    const known = ours === -1 ? rotated.findIndex(({ head }) => this.#isKnown(head)) : ours
    const since = known === -1 ? rotated : rotated.slice(0, known)
    // None of what was there at the last look is left: more may have come and gone.
    const isAllNew = known === -1 && since.length > 0
    const isGone = this.#head.length > 0 && ours === -1 && (!isDrained || isAllNew)
    const isGap = isAllNew && this.#rotatedHeads.length > 0
    if (isGone || isGap) yield { missing: since.length > 0 ? 'rotated' : 'emptied' }
    if (ours !== -1) yield* this.#readRest(rotated[ours]!, this.#offset)
    for (const generation of since.toReversed()) {
      yield* this.#breakOff()
      yield* this.#readRest(generation, 0)
    }
  }

  #isKnown(head: Buffer): boolean {
    return this.#rotatedHeads.some((known) => areAlike(head, known))
  }

  *#readRest({ descriptor, size }: Generation, from: number): Generator<LogEvent> {
    for (let position = from; position < size;) {
      const piece = Buffer.allocUnsafe(Math.min(BLOCK, size - position))
      const length = readSync(descriptor, piece, 0, piece.length, position)
      if (length === 0) return
      position += length
      yield* this.#take(piece.subarray(0, length))
    }
  }
}

/** A copy may be shorter than what was copied, and what was moved may have grown before. */
function areAlike(one: Buffer, other: Buffer): boolean {
  return beginsLike(one, other) || beginsLike(other, one)
}

function endOf(file: string): LogPosition {
  return readTail(file, () => undefined, { wholeLines: true }).end
}
