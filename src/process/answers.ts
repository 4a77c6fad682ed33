import { connect } from 'node:net'

/** Whether something listens at a TCP address: it is asked, and left alone again. @param timeoutMs default 1000 */
export async function answers(target: { host: string; port: number }, timeoutMs = 1000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(target)
  socket.setTimeout(timeoutMs, () => resolve(false))
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
