import type { Socket } from 'node:net'
import { giveBack, isPiece, keep } from '../../memory/pieces.ts'
import { SocketReads } from '../../memory/socket-reads.ts'
import { STREAM_CODES } from '../protocol/codes.ts'
import { MAX_DATA_BYTES } from '../protocol/limits.ts'
import { resetSocket } from './reset-socket.ts'
import type { StreamHandler } from './stream-handler.ts'
import type { Stream } from './stream.ts'

export interface BridgeEvents {
  opened?: () => void
  /** The stream was reset by the far end, or on the way. */
  reset?: (code: number, message: string) => void
  /** The connection is over, whichever way. */
  closed?: () => void
}

/** How soon the reset of a connection is noticed that is not read at the time, in ms. */
const PROBE_MS = 1000

/** How much of a socket is read at once, in bytes. */
const READ_BYTES = 128 * 1024

/** What is read waits for the far end to have it: its memory has to be about what is counted for it. */
const KEPT_SHARE = 0.75

const NOTHING = Buffer.alloc(0)

/**
 * Joins a socket and a stream: bytes, the end of either direction, and resets, both ways. The reset of a
 * stream is a reset of the TCP connection, never its clean end, so that nothing cut short looks complete. A
 * Unix socket can't be told so in all cases, see `resetSocket`.
 *
 * @param socket made with `allowHalfOpen`
 */
export function bridge(socket: Socket, stream: Stream, events: BridgeEvents = {}): void {
  /** Bytes that the socket took but has not yet passed to the kernel. */
  let waiting = 0
  let ended = false
  let probing: NodeJS.Timeout | undefined
  // Each asks the kernel, and what is being opened need not wait for that.
  setImmediate(() => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
  })
  const uncork = () => socket.uncork()

  const handler: StreamHandler = {
    data(chunk) {
      // All that came at once is one write.
      if (socket.writableCorked === 0) {
        socket.cork()
        process.nextTick(uncork)
      }
      const written = isPiece(chunk) ? () => giveBack(chunk) : undefined
      if (socket.write(chunk, written)) stream.consumed(chunk.length)
      else waiting += chunk.length
    },
    end() {
      socket.end()
    },
    drain() {
      clearInterval(probing)
      reads.resume()
    },
    reset(code, message) {
      events.reset?.(code, message)
      resetSocket(socket)
    },
  }
  if (events.opened) handler.opened = events.opened

  const handedOn = () => {
    const bytes = waiting
    waiting = 0
    stream.consumed(bytes)
  }
  socket.on('drain', handedOn)
  // After end() there is no 'drain' any more.
  socket.on('finish', handedOn)
  const take = (bytes: Buffer, isShared: boolean) => {
    let goesOn = true
    // No more than fills a frame, and lies in one piece of memory.
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const part = bytes.length <= MAX_DATA_BYTES ? bytes : bytes.subarray(at, at + MAX_DATA_BYTES)
      goesOn = stream.write(isShared ? keep(part, KEPT_SHARE) : part)
    }
    if (goesOn) return
    reads.pause()
    clearInterval(probing)
    probing = setInterval(() => probe(socket), PROBE_MS)
  }
  const reads = new SocketReads(socket, take, READ_BYTES)
  const ends = () => {
    ended = true
    stream.end()
  }
  socket.on('end', ends)
  // 'close' follows, and tells the far end.
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(probing)
    if (!ended || !socket.writableFinished) stream.reset(STREAM_CODES.PEER_RESET, 'the connection was reset')
    events.closed?.()
  })
  stream.attach(handler)
  // The end may have come before anybody listened.
  if (socket.readableEnded) ends()
}

/** Nobody is told of a reset while nothing is read; but a write fails, if only of no bytes. */
function probe(socket: Socket): void {
  if (socket.writable && socket.writableLength === 0) socket.write(NOTHING)
}
