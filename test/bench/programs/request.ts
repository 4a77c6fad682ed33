/** What a client asks of the target, in the first bytes of a connection. */
export interface Request {
  /** `sink` takes bytes in, `source` sends them; `checked` also takes their checksum. */
  readonly mode: 'echo' | 'sink' | 'checked sink' | 'source'
  readonly bytes: number
}

const MODES = ['echo', 'sink', 'checked sink', 'source'] as const

export const REQUEST_BYTES = 9

/** The target's answer to `sink` and `source`, before anything is timed. */
export const READY = 1

export function encodeRequest({ mode, bytes }: Request): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES)
  request[0] = MODES.indexOf(mode)
  request.writeDoubleBE(bytes, 1)
  return request
}

export function decodeRequest(request: Buffer): Request {
  return { mode: MODES[request[0]!]!, bytes: request.readDoubleBE(1) }
}
