/** Bytes of a piece: the largest frame of a link fits in. */
const PIECE_BYTES = 65 * 1024

/** How many pieces may stay without use: what eight streams at full speed have in use, 4 MB. */
const SPARE = 64

/** How long more of them stay that nobody has needed meanwhile, in ms. */
const TRIM_MS = 1000

class Piece extends ArrayBuffer {
  /** Whoever gives a piece back twice must not have two others get it. */
  isInUse = true

  constructor() {
    super(PIECE_BYTES)
  }
}

const free: Piece[] = []
/** How many have been free all the time since the last look. */
let leastFree = 0
let trimming: NodeJS.Timeout | undefined

/**
 * Copies bytes into memory that is the caller's, a piece if they are many. Bulk streams would have V8 search
 * its heap for garbage all the time, which took a third of the processor's time: so pieces are used again,
 * see `giveBack`.
 *
 * @param share of a piece that is too little to take one: fewer bytes get memory of their own size. Default a
 * quarter; to be more where bytes wait for long, and what waits is counted
 */
export function keep(bytes: Buffer, share = 0.25): Buffer {
  const { length } = bytes
  if (length < share * PIECE_BYTES || length > PIECE_BYTES) return copied(bytes)
  const piece = free.pop() ?? new Piece()
  leastFree = Math.min(leastFree, free.length)
  piece.isInUse = true
  const kept = Buffer.from(piece, 0, length)
  bytes.copy(kept)
  return kept
}

/** @returns both, if they are one behind the other in a piece now; else undefined */
export function append(kept: Buffer, bytes: Buffer): Buffer | undefined {
  const { buffer, byteOffset, length } = kept
  if (!(buffer instanceof Piece) || byteOffset + length + bytes.length > PIECE_BYTES) return undefined
  const both = Buffer.from(buffer, byteOffset, length + bytes.length)
  bytes.copy(both, length)
  return both
}

/** Whether the bytes lie in a piece. */
export function isPiece({ buffer }: Buffer): boolean {
  return buffer instanceof Piece
}

/** Nobody will look at the bytes again, nor at others of their piece, which may be used for others now. */
export function giveBack({ buffer }: Buffer): void {
  if (!(buffer instanceof Piece) || !buffer.isInUse) return
  buffer.isInUse = false
  free.push(buffer)
  if (free.length > SPARE) trimming ??= setTimeout(trim, TRIM_MS).unref()
}

/** Forgets pieces that nobody needs: very many streams use many at a time, and come and go. */
function trim(): void {
  trimming = undefined
  free.splice(0, Math.min(leastFree, free.length - SPARE))
  leastFree = free.length
  if (free.length > SPARE) trimming = setTimeout(trim, TRIM_MS).unref()
}

/** Not of Node.js's pool: whoever keeps the bytes would keep what lies beside them. */
function copied(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
