import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { canonical, outwardAddresses } from '../../net/own-address.ts'

const ALWAYS = ['localhost', '127.0.0.1', '::1']

/** What a certificate can hold, and an address can lead by; underscores are common in container networks. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

/**
 * The host names and addresses that a hub on this machine is reached by now, as far as the machine knows.
 *
 * @param given further ones: what it listens on, and the host of its URL; brackets are taken off
 */
export function serverNames(given: readonly string[]): string[] {
  const names = [...ALWAYS, hostname(), ...outwardAddresses(), ...given.map(bare)]
  return [...new Set(names.map(normal))].filter(
    (name) => (isIP(name) || DNS_NAME.test(name)) && !/^(?:0\.0\.0\.0|::)$/.test(name),
  )
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** As a client compares them: without the dot of the root at the end. */
function normal(name: string): string {
  return isIP(name) ? canonical(name) : name.toLowerCase().replace(/\.$/, '')
}
