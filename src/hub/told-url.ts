import type { Serving } from '../config/hub/serving.ts'
import { formatTarget } from '../config/target.ts'
import { outwardAddresses } from '../net/own-address.ts'

const ALL = new Set(['0.0.0.0', '::'])

/**
 * The address that others are told: the one that was given, else one that the hub listens on. Where that is
 * all of the machine's, it is the first that others may reach. Never from what a request says.
 *
 * @param port the one that the hub has
 */
export function toldUrl({ host, tls, url }: Pick<Serving, 'host'> & Partial<Serving>, port: number): string {
  if (url !== undefined) return url
  const own = ALL.has(host) ? (outwardAddresses()[0] ?? '127.0.0.1') : host
  return `${tls ? 'https' : 'http'}://${formatTarget({ host: own, port })}`
}
