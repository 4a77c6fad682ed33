import { isUtf8 } from 'node:buffer'
import { CLOSE_CODES, isCloseCode } from './close-codes.ts'
import { ProtocolError } from './protocol-error.ts'

export interface CloseFrame {
  /** Undefined if the frame named none. */
  readonly code: number | undefined
  /** One line, without control characters. */
  readonly reason: string
}

/** @param reason of at most 123 bytes */
export function encodeClose(code: number | undefined, reason = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0)
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return payload
}

/** @throws ProtocolError */
export function decodeClose(payload: Buffer): CloseFrame {
  if (payload.length === 0) return { code: undefined, reason: '' }
  if (payload.length === 1) throw new ProtocolError(CLOSE_CODES.PROTOCOL, 'a close frame of one byte')
  const code = payload.readUInt16BE()
  if (!isCloseCode(code)) throw new ProtocolError(CLOSE_CODES.PROTOCOL, `a close frame with code ${code}`)
  const text = payload.subarray(2)
  if (!isUtf8(text)) throw new ProtocolError(CLOSE_CODES.NOT_UTF8, 'a close frame whose reason is not UTF-8')
  // The reason is shown to people and written to logs.
  return {
    code,
    reason: text
      .toString()
      .replaceAll(/\p{Cc}/gu, ' ')
      .trim(),
  }
}
