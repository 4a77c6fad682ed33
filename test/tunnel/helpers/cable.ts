import { connect, type Socket } from 'node:net'
import { serveTcp, type TestServer } from '../../helpers/servers.ts'

/** A way to a server that a test can cut. */
export class Cable {
  readonly #server: TestServer
  readonly #sockets: Set<Socket>
  #state: { isWhole: boolean }

  private constructor(server: TestServer, sockets: Set<Socket>, state: { isWhole: boolean }) {
    this.#server = server
    this.#sockets = sockets
    this.#state = state
  }

  static async to(port: number): Promise<Cable> {
    const sockets = new Set<Socket>()
    const state = { isWhole: true }
    const server = await serveTcp((near) => {
      if (!state.isWhole) {
        near.resetAndDestroy()
        return
      }
      const far = connect(port, '127.0.0.1')
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from)
        from.pipe(to)
        from.on('error', () => {})
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
      }
    })
    return new Cable(server, sockets, state)
  }

  get port(): number {
    return this.#server.port
  }

  /** Both ends hear of it; what is on the way is lost, and nobody gets through until it is fixed. */
  cut(): void {
    this.#state.isWhole = false
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Nobody hears of it: what is sent stays on the way, for ever. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe()
      socket.pause()
    }
  }

  fix(): void {
    this.#state.isWhole = true
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}
