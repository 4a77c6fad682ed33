import { once } from 'node:events'
import { WebSocket } from 'ws'

/** The inspector of another Node.js process, which was started with `--inspect`. */
export class Inspector {
  readonly #socket: WebSocket
  #calls = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** @param url as Node.js prints it */
  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30 })
    await once(socket, 'open')
    return new Inspector(socket)
  }

  /** Calls a method of the DevTools protocol. @throws Error if it says no */
  async call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#calls
    this.#socket.send(JSON.stringify({ id, method, params }))
    for (;;) {
      const [data] = (await once(this.#socket, 'message')) as [Buffer]
      const answer = JSON.parse(data.toString('utf8')) as { id?: number; result: T; error?: object }
      if (answer.id !== id) continue
      if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`)
      return answer.result
    }
  }

  /** Evaluates an expression there. @returns its value, by JSON @throws Error if it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call<{
      result: { value: T }
      exceptionDetails?: { exception?: { description?: string } }
    }>('Runtime.evaluate', { expression, returnByValue: true })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression)
    return result.value
  }

  close(): void {
    this.#socket.close()
  }
}
