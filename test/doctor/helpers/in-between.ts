import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { listening } from '../../hub-client/helpers/tls-server.ts'

export interface InBetweenOptions {
  /** What it does with a request for a WebSocket; default: it is taken for a plain one, as by old proxies. */
  readonly upgrade?: (request: IncomingMessage, socket: Socket) => void
  /** What it changes of an answer's header. */
  readonly header?: Readonly<Record<string, string>>
}

/** A reverse proxy before a hub, that does what such do. @returns its address */
export async function inBetween(
  hubPort: number,
  { upgrade, header = {} }: InBetweenOptions = {},
): Promise<string> {
  const server = createServer((request, response) => passOn(hubPort, header, request, response))
  if (upgrade) server.on('upgrade', upgrade)
  server.on('connection', (socket) => onTestFinished(() => void socket.destroy()))
  return `http://127.0.0.1:${await listening(server)}`
}

function passOn(
  port: number,
  changed: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { upgrade: _, connection: __, ...headers } = request.headers
  const { method, url: path } = request
  const passed = ask({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode!, { ...answer.headers, ...changed })
    answer.pipe(response)
  })
  request.pipe(passed)
}

/** Lets WebSockets through as a proper one does. */
export function passUpgrades(hubPort: number): (request: IncomingMessage, socket: Socket) => void {
  return (request, near) => {
    const far = connect(hubPort, '127.0.0.1')
    const lines = request.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [],
    )
    far.write([`${request.method} ${request.url} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.once('close', () => other.destroy())
      one.pipe(other)
    }
  }
}
