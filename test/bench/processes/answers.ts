import { once } from 'node:events'
import { connect } from 'node:net'
import { encodeRequest } from '../programs/request.ts'

const TIMEOUT_MS = 1000

/** Whether the target is what answers at this port of loopback. @returns true, else undefined */
export async function answers(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  socket.write(Buffer.concat([encodeRequest({ mode: 'echo', bytes: 0 }), Buffer.of(0)]))
  try {
    const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    return Buffer.isBuffer(answer) || undefined
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}
