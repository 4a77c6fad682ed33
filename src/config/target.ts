import { isIP } from 'node:net'
import { ConnectError } from '../errors.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { parseSocketPath } from './socket-path.ts'

/** What the agent dials. */
export type Target = TcpTarget | SocketTarget

/** A TCP address. */
export interface TcpTarget {
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
}

/** A Unix socket. */
interface SocketTarget {
  /** Absolute. */
  readonly path: string
}

/** A target with all fields, as JSON has them. */
export type ListedTarget =
  | { readonly host: string; readonly port: number; readonly path: null }
  | { readonly host: null; readonly port: null; readonly path: string }

/** A label of a DNS name, underscores allowed since container networks use them. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i

/**
 * Parses what is to be exposed: `[HOST:]PORT`, or `unix:PATH`.
 *
 * @throws ConnectError BAD_TARGET
 */
export function parseTarget(text: string): Target {
  const [, path] = /^unix:(.+)$/is.exec(text) ?? []
  return path === undefined ? parseTcpTarget(text) : { path: parseSocketPath(path, 'BAD_TARGET') }
}

/**
 * Parses `[HOST:]PORT`: `5432`, `localhost:5432`, `[::1]:5432`. Without a host it is this machine.
 *
 * @throws ConnectError BAD_TARGET
 */
function parseTcpTarget(text: string): TcpTarget {
  const match = /^(?:(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):)?(?<port>\d{1,5})$/.exec(text)
  if (!match?.groups) throw notATarget(text)
  const { v6, host = v6 ?? 'localhost', port } = match.groups
  const number = Number(port)
  if (number < 1 || number > 65_535)
    throw new ConnectError('BAD_TARGET', `${port} is not a port (1 to 65535)`)
  if (v6 !== undefined ? isIP(v6) !== 6 : !isHostName(host)) {
    throw new ConnectError('BAD_TARGET', `"${host}" is not a host name or address`)
  }
  return { host, port: number }
}

/** Says what it is instead, where that can be told. */
function notATarget(text: string): ConnectError {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? []
  if (/^\.{0,2}\//.test(text)) {
    return new ConnectError('BAD_TARGET', `"${text}" is a path, not [HOST:]PORT`, {
      hints: [`If it is a Unix socket, run: connect expose ${shellQuote(`unix:${text}`)} --name NAME`],
    })
  }
  if (scheme?.toLowerCase() === 'udp') {
    const message = `"${text}" is a UDP port, and only TCP ports and Unix sockets can be exposed`
    return new ConnectError('BAD_TARGET', message, {
      hints: ['Give a TCP port: connect expose PORT --name NAME'],
    })
  }
  if (scheme !== undefined) {
    const target = hostAndPort(scheme.toLowerCase(), rest)
    // The text may have a password in it.
    const it = text.includes('@') ? 'This' : `"${text}"`
    return new ConnectError('BAD_TARGET', `${it} is a URL, and what is exposed is a TCP port`, {
      hints: [`Run: connect expose ${target ?? '[HOST:]PORT'} --name NAME`],
    })
  }
  return new ConnectError('BAD_TARGET', `"${text}" is neither [HOST:]PORT nor unix:PATH`)
}

/** Ports that go without saying in a URL (IANA's service names). */
const USUAL_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  mysql: 3306,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  ssh: 22,
}

/**
 * Of a URL, without what stands before its @: that may be a password.
 *
 * @returns undefined if it has no port
 */
function hostAndPort(scheme: string, authority: string): string | undefined {
  const host = authority.replace(/^.*@/, '')
  if (/:\d{1,5}$/.test(host)) return host
  const port = USUAL_PORTS[scheme]
  return host === '' || port === undefined ? undefined : `${host}:${port}`
}

/** @returns `localhost:5432`, with brackets around an IPv6 address; or `unix:/run/web.sock` */
export function formatTarget(target: Target | ListedTarget): string {
  if (isSocket(target)) return `unix:${target.path}`
  const { host, port } = target
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isSocket(target: Target | ListedTarget): target is SocketTarget {
  return 'path' in target && target.path !== null
}

export function listTarget(target: Target): ListedTarget {
  if (isSocket(target)) return { host: null, port: null, path: target.path }
  return { host: target.host, port: target.port, path: null }
}

/** All of a machine's addresses, and the loopback that they lead to (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2). */
const UNSPECIFIED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where something on this machine is connected to that listens on an address. */
export function connectable(host: string): string {
  return UNSPECIFIED[host] ?? host
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
export function parseListenAddress(text: string): TcpTarget {
  const free = /^(.+):0$/.exec(text)
  try {
    return free ? { ...parseTcpTarget(`${free[1]}:1`), port: 0 } : parseTcpTarget(text)
  } catch (error) {
    // The hints about targets are not true of an address to listen on.
    throw new ConnectError('BAD_TARGET', `"${text}" is not [HOST:]PORT`, {
      hints: ['Give an address of this machine, for example 127.0.0.1:7700 or [::1]:7700; 0 is a free port.'],
      cause: error,
    })
  }
}
