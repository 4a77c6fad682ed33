import type { Socket } from 'node:net'
import type { Neighbours } from '../control/presence/neighbours.ts'
import { tryAnnounce } from '../control/presence/try-announce.ts'
import type { Log } from '../log/log.ts'
import { Clients } from './clients.ts'
import type { LocalPort } from './local-port.ts'
import type { Opener } from './opener.ts'

export interface ServiceListenerOptions {
  readonly opener: Opener
  readonly neighbours: Neighbours
  readonly hubId: string
  /** The service's name. */
  readonly name: string
  /** The Unix socket that is listened at, if it is one. */
  readonly socketPath?: string | undefined
  readonly log: Log
  /** How long a client waits to be carried, in ms. */
  readonly holdMs: number
}

/** A local port, or a Unix socket, that leads to a service, and who connects there. */
export interface ServiceListener extends LocalPort {
  readonly clients: Clients
  /** Resets all clients, too. */
  close(): void
}

/**
 * Leads the clients of a port to a service, and announces it.
 *
 * @param open opens the port
 * @throws what `open` throws
 */
export async function openServiceListener(
  { opener, neighbours, hubId, name, socketPath, log, holdMs }: ServiceListenerOptions,
  open: (onClient: (socket: Socket) => void) => Promise<LocalPort>,
): Promise<ServiceListener> {
  const clients = new Clients(opener, neighbours, { name, log, holdMs })
  try {
    const opened = await open((socket) => clients.take(socket))
    const { port } = opened
    const addresses = [...opened.addresses]
    const note = tryAnnounce({ kind: 'reach', hubId, service: name, addresses, port, socketPath }, log)
    const close = () => {
      note?.withdraw()
      opened.close()
      clients.close()
    }
    return { ...opened, clients, close }
  } catch (error) {
    clients.close()
    throw error
  }
}
