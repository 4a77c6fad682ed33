import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface ConnectProxyOptions {
  /** Names that only this proxy knows, and the local port each leads to. */
  readonly hosts?: Readonly<Record<string, number>>
  /** `user:password` that it wants. */
  readonly login?: string
  /** Answers every CONNECT with this status. */
  readonly refuseWith?: number
  /** It is spoken to over TLS. */
  readonly tls?: { cert: string; key: string }
}

/** A proxy that knows CONNECT, and does what it is asked. */
export interface ConnectProxy {
  readonly port: number
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string
  /** Each CONNECT so far: `hub.test:443`. */
  readonly asked: readonly string[]
  /** Any other request so far. */
  readonly strays: readonly string[]
  close(): Promise<void>
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: string[] = []
  const strays: string[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}))
    socket.on('close', () => sockets.delete(socket))
  }
  const server: Server = options.tls ? createTlsServer(options.tls) : createServer()
  server.on('connection', keep)
  server.on('request', (request, response) => {
    strays.push(`${request.method} ${request.url}`)
    response.writeHead(405).end()
  })
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    keep(client)
    asked.push(request.url ?? '')
    const status = statusFor(request, options)
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${request.url}`)
    const known = options.hosts?.[hostname]
    const target = connect({
      host: known === undefined ? hostname : '127.0.0.1',
      port: known ?? Number(port || 80),
    })
    keep(target)
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.pipe(target).pipe(client)
    })
    target.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    client.once('close', () => target.destroy())
    target.once('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    asked,
    strays,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function statusFor(request: IncomingMessage, { login, refuseWith }: ConnectProxyOptions): number {
  if (refuseWith !== undefined) return refuseWith
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
  return request.headers['proxy-authorization'] === wanted ? 200 : 407
}
