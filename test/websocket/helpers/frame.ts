/** A frame as RFC 6455 §5.2 draws it, wrong ones too, made by nothing of src/. */
export interface RawFrame {
  readonly opcode: number
  readonly payload?: Uint8Array
  /** Default true. */
  readonly isFinal?: boolean
  /** Four bytes; undefined for an unmasked frame. */
  readonly key?: Uint8Array | undefined
  /** The three reserved bits, as a number from 0 to 7. */
  readonly reserved?: number
  /** How the length is written: 0 for the shortest form. */
  readonly lengthBytes?: 0 | 2 | 8
}

export function frame({ opcode, payload, isFinal = true, key, reserved = 0, lengthBytes }: RawFrame): Buffer {
  const data = Buffer.from(payload ?? [])
  const extra = lengthBytes ?? (data.length < 126 ? 0 : data.length < 65_536 ? 2 : 8)
  const length = Buffer.alloc(extra)
  if (extra === 2) length.writeUInt16BE(data.length)
  if (extra === 8) length.writeBigUInt64BE(BigInt(data.length))
  const short = extra === 0 ? data.length : extra === 2 ? 126 : 127
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const masked = key ? data.map((byte, at) => byte ^ key[at % 4]!) : data
  return Buffer.concat(
    [Buffer.from([first, (key ? 0x80 : 0) | short]), length, key ?? [], masked].map(bytesOf),
  )
}

const bytesOf = (bytes: Uint8Array | never[]) => Uint8Array.from(bytes)

/** Bytes that differ, so that a lost or a doubled one shows. */
export function filler(bytes: number): Buffer {
  const filled = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at++) filled[at] = (at * 31 + (at >> 8) * 7) & 0xff
  return filled
}
