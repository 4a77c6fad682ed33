/** Where a ping is seen: `in` it is read from a socket, `out` it is handed to libuv, and so to the kernel. */
export interface Seen {
  readonly ping: number
  readonly at: 'in' | 'out'
  /** Of the machine’s monotonic clock. */
  readonly ms: number
  /** Of `in`: how many bytes of its connection came before it, since the hook was installed. */
  readonly offset: number
  /** Of `in`: when the last reads of its connection were, and up to where. */
  readonly reads: readonly (readonly [ms: number, upTo: number])[]
}

/** Bytes of the ping’s number, behind the marker. */
export const NUMBER_BYTES = 4

/** What it patches of a socket: how Node.js hands over what it has read, and what is to be written. */
interface Patched {
  push: (this: Patched, chunk: unknown, encoding?: BufferEncoding) => boolean
  _writeGeneric: (this: Patched, writev: boolean, data: unknown, ...rest: unknown[]) => void
}

/**
 * Has a Node.js process note in `benchSeen` where pings go by. It runs there, on the word of its inspector,
 * and so can use nothing of this file. It sees what is read from sockets as streams; in TLS, the plaintext.
 *
 * @param hex the marker that a ping begins with
 */
export function installTraceHook(hex: string): void {
  const prototype = process.getBuiltinModule('node:net').Socket.prototype as unknown as Patched
  const marker = Buffer.from(hex, 'hex')
  const keptReads = 256
  const seen: Seen[] = []
  const histories = new WeakMap<Patched, { upTo: number; reads: [ms: number, upTo: number][] }>()
  const now = () => Number(process.hrtime.bigint()) / 1e6
  Object.assign(globalThis, { benchSeen: seen })

  function find(chunk: unknown, found: (ping: number, at: number) => void): void {
    if (!Buffer.isBuffer(chunk)) return
    const last = chunk.length - marker.length - 4
    for (let at = chunk.indexOf(marker); at >= 0 && at <= last; at = chunk.indexOf(marker, at + 1))
      found(chunk.readUInt32BE(at + marker.length), at)
  }

  const { push, _writeGeneric: write } = prototype
  prototype.push = function (chunk, encoding) {
    const ms = now()
    const history = histories.get(this) ?? { upTo: 0, reads: [] }
    histories.set(this, history)
    const { upTo, reads } = history
    find(chunk, (ping, at) => seen.push({ ping, at: 'in', ms, offset: upTo + at, reads: [...reads] }))
    if (Buffer.isBuffer(chunk)) history.upTo += chunk.length
    reads.push([ms, history.upTo])
    if (reads.length > keptReads) reads.shift()
    return push.call(this, chunk, encoding)
  }
  prototype._writeGeneric = function (writev, data, ...rest) {
    const ms = now()
    const chunks = writev ? (data as { chunk: unknown }[]).map(({ chunk }) => chunk) : [data]
    for (const chunk of chunks)
      find(chunk, (ping) => seen.push({ ping, at: 'out', ms, offset: 0, reads: [] }))
    write.call(this, writev, data, ...rest)
  }
}
