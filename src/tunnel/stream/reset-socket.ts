import type { Socket } from 'node:net'

/**
 * Ends a connection as one that broke. Of TCP that is a reset. A Unix socket has none: its peer sees an
 * error only if it writes, or if something that it sent was not read; else the mere end (unix(7)).
 */
export function resetSocket(socket: Socket): void {
  if (isTcp(socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/** Also of one that is closed: then it makes no difference. */
function isTcp({ localPort }: Socket): boolean {
  return localPort !== undefined
}
