import type { AddressInfo, Server } from 'node:net'
import { codeOf, ConnectError, messageOf } from '../errors.ts'

/** Connections that may wait to be taken; Node.js's 511 are few for a hub whose agents all come back. The kernel may cap it. */
const BACKLOG = 4096

/**
 * Has a server listen on a TCP address.
 *
 * @param port 0 for a free one
 * @returns the port
 * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN
 */
export async function listenTcp(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port, backlog: BACKLOG }, resolve)
  try {
    await promise
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw codeOf(error) === 'EADDRINUSE'
      ? new ConnectError('PORT_IN_USE', `Port ${port} of ${host} is in use`, { cause: error })
      : new ConnectError('CANNOT_LISTEN', `Could not listen on ${host}:${port}: ${messageOf(error)}`, {
          cause: error,
        })
  } finally {
    server.off('error', reject)
  }
}
