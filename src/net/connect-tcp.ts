import { connect, type Socket } from 'node:net'
import { connectToFirst, type Race } from './happy-eyeballs.ts'
import { knownAddresses, type Address } from './known-addresses.ts'
import type { NameResolver } from './name-resolver.ts'

export interface ConnectTcpOptions {
  readonly names: NameResolver
  /** How long the connection may take, the lookup of a name included, in ms; default for ever. */
  readonly timeoutMs?: number
  readonly allowHalfOpen?: boolean
  /** Picks the addresses that may be connected to; what it throws is the error. */
  readonly choose?: (addresses: readonly Address[]) => readonly Address[]
}

/**
 * Opens a TCP connection. All that this program dials goes through here.
 *
 * @param host a name or address, an IPv6 address in brackets or not
 * @param done gets the socket, without delay for small writes (Nagle's algorithm off); or the error: the
 * resolver's, the system's, or an AggregateError of what came of each address
 * @returns a function that ends the attempt, after which `done` is not called; false if it was over already
 */
export function connectTcp(
  { host, port }: { host: string; port: number },
  options: ConnectTcpOptions,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => boolean {
  const { names, timeoutMs, allowHalfOpen = false, choose } = options
  let isOver = false
  let race: Race | undefined
  let timer: NodeJS.Timeout | undefined
  const finish = (error: Error | undefined, socket?: Socket) => {
    isOver = true
    clearTimeout(timer)
    done(error, socket)
  }
  const open = ({ address, family }: Address) =>
    connect({ host: address, port, family, noDelay: true, allowHalfOpen })
  const start = (addresses: readonly Address[]) => {
    if (isOver) return
    let chosen: readonly Address[]
    try {
      chosen = choose ? choose(addresses) : addresses
    } catch (error) {
      return finish(error as Error)
    }
    race = connectToFirst(chosen, open, finish)
  }
  if (timeoutMs !== undefined) {
    timer = setTimeout(() => {
      if (race) race.expire()
      else finish(Object.assign(new Error(`DNS did not answer for ${host}`), { code: 'ETIMEOUT' }))
    }, timeoutMs)
  }
  // No promise for what is known: that would cost each connection a turn.
  const known = knownAddresses(host)
  if (known) start(known)
  else names.resolve(host).then(start, (error: Error) => !isOver && finish(error))
  return () => {
    if (isOver) return false
    isOver = true
    clearTimeout(timer)
    race?.cancel()
    return true
  }
}
