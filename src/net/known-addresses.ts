import { isIP } from 'node:net'

/** A numeric address, as getaddrinfo gives it. */
export interface Address {
  readonly address: string
  /** 4 or 6. */
  readonly family: number
}

/** Both loopback addresses of this machine. */
export const LOOPBACKS: readonly Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/**
 * The addresses of a host that need no lookup: numeric ones, and `localhost`, which is this machine whatever
 * a resolver says (RFC 6761 §6.3).
 *
 * @param host an IPv6 address in brackets or not
 * @returns undefined for a name
 */
export function knownAddresses(host: string): readonly Address[] | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  const family = isIP(bare)
  if (family !== 0) return [{ address: bare, family }]
  return /^(?:.+\.)?localhost\.?$/i.test(bare) ? LOOPBACKS : undefined
}
