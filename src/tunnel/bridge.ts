import type { Socket } from 'node:net'
import { STREAM_CODES } from './codes.ts'
import type { Stream, StreamHandler } from './stream.ts'

export interface BridgeEvents {
  opened?: () => void
  /** The stream was broken by the far end or on the way. */
  reset?: (code: number, message: string) => void
  /** Over, whichever way. */
  closed?: () => void
}

/**
 * Joins a TCP socket and a stream: bytes, ends of either direction, and breakage both ways. A broken stream reaches
 * the TCP peer as a reset, never as a clean end, so that nothing cut short looks complete.
 *
 * @param socket made with `allowHalfOpen`
 */
export function bridge(socket: Socket, stream: Stream, events: BridgeEvents = {}): void {
  /** Bytes that the socket took but has not yet passed to the kernel. */
  let waiting = 0
  let ended = false
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 30_000)

  const handler: StreamHandler = {
    data(chunk) {
      if (socket.write(chunk)) stream.consumed(chunk.length)
      else waiting += chunk.length
    },
    end() {
      socket.end()
    },
    drain() {
      socket.resume()
    },
    reset(code, message) {
      events.reset?.(code, message)
      socket.resetAndDestroy()
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
  socket.on('data', (chunk: Buffer) => {
    if (!stream.write(chunk)) socket.pause()
  })
  socket.on('end', () => {
    ended = true
    stream.end()
  })
  // 'close' follows, and tells the far end.
  socket.on('error', () => {})
  socket.on('close', () => {
    if (!ended || !socket.writableFinished) stream.reset(STREAM_CODES.PEER_RESET, 'the connection was reset')
    events.closed?.()
  })
  stream.attach(handler)
}
