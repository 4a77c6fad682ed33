import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Pairs of real TCP sockets on loopback. */
export class Sockets {
  readonly #server: Server
  readonly #all: Socket[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<Sockets> {
    // As the HTTP server makes them.
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Sockets(server)
  }

  async pair(): Promise<{ client: Socket; server: Socket }> {
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>
    const client = connect({
      port: (this.#server.address() as AddressInfo).port,
      host: '127.0.0.1',
      noDelay: true,
    })
    const [[server]] = await Promise.all([accepted, once(client, 'connect')])
    this.#all.push(client, server)
    return { client, server }
  }

  async close(): Promise<void> {
    for (const socket of this.#all) socket.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}
