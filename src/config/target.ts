import { isIP } from 'node:net'
import { ConnectError } from '../errors.ts'

/** A TCP address that the agent dials. */
export interface Target {
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
}

/** A label of a DNS name, underscores allowed since container networks use them. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i

/**
 * Parses `[HOST:]PORT`: `5432`, `localhost:5432`, `[::1]:5432`. Without a host it is this machine.
 *
 * @throws ConnectError BAD_TARGET
 */
export function parseTarget(text: string): Target {
  const match = /^(?:(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):)?(?<port>\d{1,5})$/.exec(text)
  if (!match?.groups) throw new ConnectError('BAD_TARGET', `"${text}" is not [HOST:]PORT`)
  const { v6, host = v6 ?? 'localhost', port } = match.groups
  const number = Number(port)
  if (number < 1 || number > 65_535)
    throw new ConnectError('BAD_TARGET', `${port} is not a port (1 to 65535)`)
  if (v6 !== undefined ? isIP(v6) !== 6 : !isHostName(host)) {
    throw new ConnectError('BAD_TARGET', `"${host}" is not a host name or address`)
  }
  return { host, port: number }
}

/** @returns `localhost:5432`, with brackets around an IPv6 address */
export function formatTarget({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isHostName(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4
  return host.length <= 253 && host.split('.').every((label) => LABEL.test(label))
}

/**
 * Parses `HOST:PORT` to listen on; port 0 is a free one.
 *
 * @throws ConnectError BAD_TARGET
 */
export function parseListenAddress(text: string): Target {
  const free = /^(.+):0$/.exec(text)
  return free ? { ...parseTarget(`${free[1]}:1`), port: 0 } : parseTarget(text)
}
