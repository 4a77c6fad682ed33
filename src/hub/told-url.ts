import { isIP } from 'node:net'
import type { Serving } from '../config/hub/serving.ts'
import { formatTarget } from '../config/target.ts'
import { outwardAddresses } from '../net/own-address.ts'

/**
 * The address that others are told: the one that was given, else one that the hub listens on. Where that is
 * all of the machine's, it is the first that others may reach. Never from what a request says.
 *
 * @param port the one that the hub has
 */
export function toldUrl({ host, tls, url }: Pick<Serving, 'host'> & Partial<Serving>, port: number): string {
  if (url !== undefined) return url
  const own = host === '0.0.0.0' || host === '::' ? firstOf(host) : host
  return `${tls ? 'https' : 'http'}://${formatTarget({ host: own, port })}`
}

/** IPv4 first: more machines have it. All of `::` is that, too. */
function firstOf(all: '0.0.0.0' | '::'): string {
  const addresses = outwardAddresses()
  const ipv4 = addresses.find((address) => isIP(address) === 4)
  return ipv4 ?? (all === '::' ? addresses[0] : undefined) ?? '127.0.0.1'
}
