import type { AddressInfo, Server } from 'node:net'
import { codeOf, ConnectError, messageOf } from '../errors.ts'

/** Connections that may wait to be taken, if the kernel allows it: 511 as by default are few for a hub. */
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
  server.once('listening', resolve)
  server.listen({ host, port, backlog: BACKLOG })
  try {
    await promise
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw cannotListen(host, port, error)
  } finally {
    // Whoever tries again with the same server leaves none behind.
    server.off('error', reject)
    server.off('listening', resolve)
  }
}

function cannotListen(host: string, port: number, cause: unknown): ConnectError {
  switch (codeOf(cause)) {
    case 'EADDRINUSE': {
      return new ConnectError('PORT_IN_USE', `Port ${port} of ${host} is in use`, { cause })
    }
    case 'EADDRNOTAVAIL': {
      const hints = ['Give an address of this machine; 0.0.0.0 and :: are all that it has.']
      return new ConnectError('CANNOT_LISTEN', `${host} is not an address of this machine`, { cause, hints })
    }
    case 'EACCES': {
      const hints = ['Give a port from 1024 on; those below are for root, unless the system allows them.']
      // One border for all users, see ip-sysctl.rst of the kernel.
      if (process.platform === 'linux' && port < 1024) {
        hints.push(
          `Or let every user of this machine open those from ${port} on: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
        )
      }
      return new ConnectError('CANNOT_LISTEN', `You may not open port ${port} of ${host}`, { cause, hints })
    }
    default: {
      const message = `Could not listen on ${host}:${port}: ${messageOf(cause)}`
      return new ConnectError('CANNOT_LISTEN', message, { cause })
    }
  }
}
