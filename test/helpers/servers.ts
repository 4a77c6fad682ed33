import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** A TCP server for one test. */
export interface TestServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Its port stays its own when it is closed: nobody else answers there then.
 * @param onConnection gets sockets that may be half-closed
 */
export async function serveTcp(onConnection: (socket: Socket) => void): Promise<TestServer> {
  const { server, close } = serving(onConnection)
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { port, close }
}

/** The same at a Unix socket. */
export async function serveUnix(
  file: string,
  onConnection: (socket: Socket) => void,
): Promise<Pick<TestServer, 'close'>> {
  const { server, close } = serving(onConnection)
  await new Promise<void>((resolve) => server.listen(file, resolve))
  return { close }
}

function serving(onConnection: (socket: Socket) => void): { server: Server; close: () => Promise<void> } {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onConnection(socket)
  })
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Sends back what it gets, end included. */
export function echoServer(): Promise<TestServer> {
  return serveTcp((socket) => socket.pipe(socket))
}

/** What comes back for a text, to the end: through an echo, all of it. */
export async function echoed(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
  return answer
}
