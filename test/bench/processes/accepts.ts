import { once } from 'node:events'
import { connect } from 'node:net'

/** @returns true if somebody accepts a connection, else undefined */
export async function accepts(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}
