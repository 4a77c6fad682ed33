import { CLOSE_CODES } from './close-codes.ts'
import { ProtocolError } from './protocol-error.ts'

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const

/** Bytes of the longest header: two, a length of 64 bits, and the key. */
export const MAX_HEADER_BYTES = 14

/** Bytes that a control frame may carry at most, §5.5. */
export const MAX_CONTROL_BYTES = 125

const FIN = 0x80
const RESERVED = 0x70
const MASKED = 0x80
/** What stands for a length that follows, in 16 and in 64 bits. */
const LENGTH_16 = 126
const LENGTH_64 = 127

/** A frame's header. The object is made once a connection, not once a frame: each header is read into it. */
export class FrameHeader {
  isFinal = false
  opcode = 0
  isMasked = false
  /** The four bytes of the mask as a big-endian number; 0 changes nothing, or there is none. */
  key = 0
  /** Of the payload, in bytes; not exact beyond 2^53. */
  length = 0

  get isControl(): boolean {
    return this.opcode >= OPCODE.CLOSE
  }

  /**
   * Reads the header that starts at a place and is whole.
   *
   * @throws ProtocolError if no frame has such a header, whoever sends it
   */
  read(bytes: Buffer, at: number): void {
    const first = bytes[at]!
    const second = bytes[at + 1]!
    this.isFinal = (first & FIN) !== 0
    this.opcode = first & 0x0f
    this.isMasked = (second & MASKED) !== 0
    this.length = readLength(bytes, at + 1)
    this.key = this.isMasked ? bytes.readUInt32BE(at + headerBytes(second) - 4) : 0
    if ((first & RESERVED) !== 0) throw breach('a frame with reserved bits')
    if (this.opcode > OPCODE.PONG || (this.opcode > OPCODE.BINARY && this.opcode < OPCODE.CLOSE)) {
      throw breach(`a frame with opcode ${this.opcode}`)
    }
    if (!this.isControl) return
    if (!this.isFinal) throw breach('a fragmented control frame')
    if (this.length > MAX_CONTROL_BYTES) throw breach(`a control frame of ${this.length} bytes`)
  }
}

/** @param second byte of the header, which tells how many there are */
export function headerBytes(second: number): number {
  const length = second & 0x7f
  return 2 + (length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0) + ((second & MASKED) !== 0 ? 4 : 0)
}

/**
 * The header of a frame that is a whole message, or control.
 *
 * @param key the mask's four bytes as a big-endian number, undefined for none
 * @param room bytes that are left free behind it, default none
 */
export function encodeHeader(opcode: number, length: number, key: number | undefined, room = 0): Buffer {
  const short = length <= MAX_CONTROL_BYTES ? length : length <= 0xffff ? LENGTH_16 : LENGTH_64
  const second = key === undefined ? short : MASKED | short
  const end = headerBytes(second)
  const header = Buffer.allocUnsafe(end + room)
  header[0] = FIN | opcode
  header[1] = second
  if (short === LENGTH_16) header.writeUInt16BE(length, 2)
  else if (short === LENGTH_64) {
    header.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    header.writeUInt32BE(length >>> 0, 6)
  }
  if (key !== undefined) header.writeUInt32BE(key, end - 4)
  return header
}

function readLength(bytes: Buffer, at: number): number {
  const short = bytes[at]! & 0x7f
  if (short < LENGTH_16) return short
  const isShort = short === LENGTH_16
  const length = isShort
    ? bytes.readUInt16BE(at + 1)
    : bytes.readUInt32BE(at + 1) * 2 ** 32 + bytes.readUInt32BE(at + 5)
  if (length >= 2 ** 63) throw breach('a length of more than 63 bits')
  if (length <= (isShort ? MAX_CONTROL_BYTES : 0xffff)) throw breach('a length that is not minimal')
  return length
}

function breach(message: string): ProtocolError {
  return new ProtocolError(CLOSE_CODES.PROTOCOL, message)
}
