import { isIP, type BlockList } from 'node:net'
import { domainToASCII } from 'node:url'
import { withoutBrackets } from '../hub-url.ts'

/**
 * Whether NO_PROXY says to go without a proxy, by the rules of Go's httpproxy package: `*`; `example.com` for
 * itself and all below it; `.example.com` and `*.example.com` only for what is below; an address; a range as
 * `10.0.0.0/8`; each of them but `*` and a range also with a port.
 *
 * @param list separated by commas or spaces
 */
export function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInRange(host, entry)
  const { name, onlyPort } = partsOf(entry)
  if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false
  if (isIP(name) !== 0) return isSameAddress(host, name)
  const domain = ascii(name.replace(/^\*(?=\.)/, ''))
  return domain.startsWith('.')
    ? host.endsWith(domain) && host !== domain
    : host === domain || host.endsWith(`.${domain}`)
}

/** `host`, `host:port`, `::1`, `[::1]`, `[::1]:port`. */
function partsOf(entry: string): { name: string; onlyPort: string | undefined } {
  if (isIP(entry) === 6) return { name: entry, onlyPort: undefined }
  const [, name = '', onlyPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? []
  return { name: withoutBrackets(name), onlyPort }
}

function isInRange(host: string, range: string): boolean {
  const [address = '', bits = ''] = range.split('/')
  const size = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > size || isIP(host) === 0) return false
  const list = blockList()
  list.addSubnet(address, Number(bits), family(address))
  return list.check(host, family(host))
}

/** However it is written: `::1` is `0:0:0:0:0:0:0:1`. */
function isSameAddress(host: string, address: string): boolean {
  if (isIP(host) === 0) return false
  const list = blockList()
  list.addAddress(address, family(address))
  return list.check(host, family(host))
}

/** node:net loads it once somebody asks for it, and few have a proxy. */
function blockList(): BlockList {
  const { BlockList } = process.getBuiltinModule('node:net')
  return new BlockList()
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}

function bare(hostname: string): string {
  return withoutBrackets(hostname).replace(/\.$/, '')
}

/** As a URL has it: lower case, and xn-- for other scripts. */
function ascii(name: string): string {
  const dot = name.startsWith('.') ? '.' : ''
  return dot + domainToASCII(name.replace(/^\./, '').replace(/\.$/, ''))
}
