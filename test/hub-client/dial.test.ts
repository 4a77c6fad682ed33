import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { hubInProcess, linked, member } from '../fixtures/hub/hub-in-process.ts'

/** Passes connections on to a hub, and counts them. */
async function relayTo(port: number) {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((near) => {
    count++
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => other.destroy())
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get count() {
      return count
    },
    cut,
  }
}

test('a link costs one connection, and so does each time that it comes back', async () => {
  const hub = await hubInProcess()
  const relay = await relayTo(hub.hub.port)
  const { link } = await linked({ ...(await member(hub)), hub: relay.url })
  expect(relay.count).toBe(1)
  for (const count of [2, 3]) {
    relay.cut()
    await expect.poll(() => link.state.state, { timeout: 30_000, interval: 5 }).not.toBe('connected')
    expect(await link.whenConnected(30_000)).toBe(true)
    expect(relay.count).toBe(count)
  }
})
