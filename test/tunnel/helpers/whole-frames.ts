import { decode } from '../../../src/tunnel/protocol/decode.ts'
import { encodeDataHeader } from '../../../src/tunnel/protocol/encode.ts'
import type { Frame } from '../../../src/tunnel/protocol/frames.ts'

type Data = Extract<Frame, { type: 'data' }>

/** A frame as a test looks at it: the payload of DATA is one buffer. */
export type WholeFrame =
  Exclude<Frame, Data> | (Omit<Data, 'payload' | 'bytes'> & { readonly payload: Buffer })

export function encodeData(stream: number, payload: Uint8Array, blocked = false): Buffer {
  return Buffer.concat([encodeDataHeader(stream, blocked), payload])
}

export function decodeWhole(bytes: Buffer): WholeFrame {
  const frame = decode(bytes)
  if (frame.type !== 'data') return frame
  const { payload, bytes: length, ...rest } = frame
  return { ...rest, payload: Buffer.concat(payload, length) }
}
