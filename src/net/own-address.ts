import { isIP, SocketAddress } from 'node:net'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { connectable } from '../config/target.ts'

/**
 * Whether a connection to an address of this machine arrives at a listener's.
 *
 * @param address numeric, what is dialled
 * @param listener numeric, what is listened on; `0.0.0.0` and `::` are all of a family, `::` of both
 */
export function leadsTo(address: string, listener: string): boolean {
  const [dialled, heard] = [connectable(canonical(address)), canonical(listener)]
  if (heard === '::' || (heard === '0.0.0.0' && isIP(dialled) === 4)) return isOwnAddress(dialled)
  return dialled === heard
}

/** Whether a numeric address is one of this machine's. */
export function isOwnAddress(address: string): boolean {
  const own = canonical(address)
  return own === '::1' || own.startsWith('127.') || interfaceAddresses().has(own)
}

/** The one text of an address (RFC 5952), and IPv4 for an IPv4-mapped one (RFC 4291 §2.5.5.2). */
export function canonical(address: string): string {
  const bare = address.replace(/%.*/, '')
  const text = isIP(bare) === 6 ? new SocketAddress({ address: bare, family: 'ipv6' }).address : bare
  return text.replace(/^::ffff:(?=\d+\.)/, '')
}

/** By which others may reach this machine; without those that count on one link only. */
export function outwardAddresses(): string[] {
  const addresses = interfaces()
    .filter(({ internal }) => !internal)
    .map(({ address }) => canonical(address))
  return [...new Set(addresses)].filter((address) => !/^(?:fe[89ab]|169\.254\.)/.test(address))
}

function interfaceAddresses(): Set<string> {
  return new Set(interfaces().map(({ address }) => canonical(address)))
}

function interfaces(): NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  } catch {
    // No descriptor is left to ask the kernel with: then none but loopback is known.
    return []
  }
}
