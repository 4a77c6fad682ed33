import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { serveTcp } from '../../helpers/servers.ts'

/** How many times a second a few bytes go on. */
const STEPS = 20

/**
 * A way to a server of this machine that takes so many bytes a second towards it, and any number back. What
 * it doesn't take waits in the kernel, as in the queue of a home router. @returns its port
 */
export async function slowCableTo(port: number, bytesPerSecond: number): Promise<number> {
  const step = Math.ceil(bytesPerSecond / STEPS)
  const cable = await serveTcp((near) => {
    const far = connect(port, '127.0.0.1')
    const timer = setInterval(() => passOn(near, far, step), 1000 / STEPS)
    far.pipe(near)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.once('close', () => {
        clearInterval(timer)
        other.destroy()
      })
    }
  })
  onTestFinished(() => cable.close())
  return cable.port
}

function passOn(from: Socket, to: Socket, most: number): void {
  const bytes = from.read(Math.min(most, from.readableLength)) as Buffer | null
  if (bytes) to.write(bytes)
}
