import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { codeOf, ConnectError } from '../errors.ts'
import { LOOPBACKS } from '../net/known-addresses.ts'
import { listenTcp } from '../net/listen.ts'
import { probeTarget } from '../net/probe-target.ts'
import type { OwnPort } from './own-port.ts'

export interface LocalPortOptions {
  /** Local address to listen on; undefined for both loopbacks, so that `localhost` leads nowhere else. */
  readonly bind: string | undefined
  /** 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
  /** The service's own; undefined if it has none. */
  readonly own?: OwnPort | undefined
  /** @returns what a port is that is not to be taken, though it may be free; undefined if it may be */
  readonly reserved?: (port: number) => string | undefined
  /** What is open already for the same clients: is used where it has the address and the port. */
  readonly held?: LocalPort | undefined
}

/** Where clients come in. */
export interface LocalPort {
  /** Numeric addresses that are listened on, all with the one port. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Why the port is not the service's own: the beginning of a sentence. */
  readonly because: string | undefined
  readonly servers: readonly Server[]
  /** @param heir goes on with the servers that it has, too */
  close(heir?: LocalPort): void
}

/** How many ports after the service's own are tried. */
const NEXT_PORTS = 20

/** How often a free port is looked for that is free on all addresses. */
const FREE_PORT_TRIES = 20

/** Codes of an address family that this machine doesn't have. */
const NO_FAMILY = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * Opens a local port.
 *
 * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN
 */
export async function openLocalPort(
  options: LocalPortOptions,
  onClient: (socket: Socket) => void,
): Promise<LocalPort> {
  const { bind, port, own } = options
  const hosts = bind === undefined || bind === 'localhost' ? LOOPBACKS.map(({ address }) => address) : [bind]
  const open = (candidate: number) => openOn(hosts, candidate, onClient, options)
  if (port !== undefined) return open(port)
  if (!own) return { ...(await open(0)), because: 'The service has no port of its own' }
  let because = own.isTaken ? `${own.port} may be the service’s own port on this machine` : undefined
  for (const candidate of candidates(own.isTaken ? own.port + 1 : own.port)) {
    try {
      return { ...(await open(candidate)), because }
    } catch (error) {
      if (!mayHaveAnother(error, candidate)) throw error
      const isForbidden = (error as ConnectError).code === 'CANNOT_LISTEN'
      const taken = `${own.port} is ${options.reserved?.(own.port) ?? 'taken here'}`
      because ??= isForbidden ? `You may not open port ${own.port} here` : taken
    }
  }
  return { ...(await open(0)), because }
}

/** Whether another port may do: an address that is not this machine's is so for each of its ports. */
function mayHaveAnother(error: unknown, port: number): boolean {
  if (!(error instanceof ConnectError)) return false
  return error.code === 'PORT_IN_USE' || (codeOf(error.cause) === 'EACCES' && port < 1024)
}

function candidates(first: number): number[] {
  return Array.from({ length: NEXT_PORTS }, (_, index) => first + index).filter((port) => port <= 65_535)
}

/** Opens one port on all of these addresses, or on those that this machine has. */
async function openOn(
  hosts: readonly string[],
  port: number,
  onClient: (socket: Socket) => void,
  { reserved, held }: Pick<LocalPortOptions, 'reserved' | 'held'>,
): Promise<LocalPort> {
  const refuseReserved = (candidate: number) => {
    const why = reserved?.(candidate)
    if (why !== undefined) throw new ConnectError('PORT_IN_USE', `Port ${candidate} is ${why}`)
  }
  for (let left = FREE_PORT_TRIES; ; left--) {
    const servers: Server[] = []
    try {
      refuseReserved(port)
      let chosen = port
      for (const host of hosts) {
        const shared = held?.servers.find((one) => listensOn(one, host, chosen))
        const server = shared ?? createServer({ allowHalfOpen: true, pauseOnConnect: true }, onClient)
        if (shared || (await tryListen(server, host, chosen, servers.length > 0))) servers.push(server)
        chosen = (servers[0]!.address() as AddressInfo).port
        refuseReserved(chosen)
      }
      return localPortOf(servers, chosen)
    } catch (error) {
      closeAll(servers, held)
      const isUnlucky = port === 0 && error instanceof ConnectError && error.code === 'PORT_IN_USE'
      if (!isUnlucky || left <= 1) throw error
    }
  }
}

/** @param isSpare the machine can do without this address @returns false if it has none of the kind */
async function tryListen(server: Server, host: string, port: number, isSpare: boolean): Promise<boolean> {
  try {
    if (port !== 0 && (await isHidden(host, port)))
      throw new ConnectError('PORT_IN_USE', `Port ${port} of ${host} is in use`)
    await listenTcp(server, host, port)
    return true
  } catch (error) {
    if (isSpare && error instanceof ConnectError && NO_FAMILY.has(codeOf(error.cause) ?? '')) return false
    throw error
  }
}

/** Except on Linux, one may listen on an address beside whoever listens on all, and take clients away. */
async function isHidden(host: string, port: number): Promise<boolean> {
  return process.platform !== 'linux' && (await probeTarget({ host, port })).isListening
}

function listensOn(server: Server, host: string, port: number): boolean {
  const { address, port: own } = server.address() as AddressInfo
  return address === host && own === port
}

/** @param heir goes on with those that it has, too */
function closeAll(servers: readonly Server[], heir: LocalPort | undefined): void {
  for (const server of servers) if (!heir?.servers.includes(server)) server.close()
}

function localPortOf(servers: readonly Server[], port: number): LocalPort {
  return {
    addresses: servers.map((server) => (server.address() as AddressInfo).address),
    port,
    because: undefined,
    servers,
    close: (heir) => closeAll(servers, heir),
  }
}
