import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { WaitingClients } from '../../src/reach/waiting-clients.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { until } from '../helpers/until.ts'

let server: Server

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

beforeEach(() => void server.removeAllListeners('connection'))

afterAll(() => void server.close())

/** A client, and the end of it that waits. */
async function waiting(clients: WaitingClients): Promise<{ client: Socket; held: Socket }> {
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  const [held] = (await once(server, 'connection')) as [Socket]
  held.on('error', () => {})
  onTestFinished(() => {
    client.destroy()
    held.destroy()
  })
  clients.add(held, 0)
  return { client, held }
}

const late = () => {
  throw new Error('nobody is late here')
}

test.for([
  ['nothing', 0],
  ['a little', 10],
  ['more than is read ahead', 1_000_000],
] as const)('a client that has sent %s and resets its connection gives its place back', async ([, bytes]) => {
  const clients = new WaitingClients(60_000, late)
  const { client } = await waiting(clients)
  expect(clients.count).toBe(1)
  if (bytes > 0) client.write(Buffer.alloc(bytes))
  client.resetAndDestroy()
  expect(await waitFor(() => (clients.count === 0 ? true : undefined), { timeoutMs: 30_000 })).toBe(true)
  expect(clients.take()).toBeUndefined()
})

test('one that has waited too long is reset', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const clients = new WaitingClients(20, resolve)
  const { client } = await waiting(clients)
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  await promise
  expect(error.code).toBe('ECONNRESET')
  expect(clients.count).toBe(0)
})

test('the first one comes first, with all that it has sent', async () => {
  const clients = new WaitingClients(60_000, late)
  const [first, second] = [await waiting(clients), await waiting(clients)]
  first.client.write('first')
  second.client.write('second')
  for (const { client, held } of [first, second]) {
    const sent = held === first.held ? 'first' : 'second'
    await until(() => held.readableLength > 0)
    expect(clients.take()).toEqual({ socket: held, hops: 0 })
    held.on('data', () => {})
    const [bytes] = (await once(held.resume(), 'data')) as [Buffer]
    expect(String(bytes)).toBe(sent)
    const ended = once(held, 'end')
    client.end()
    await ended
  }
  expect(clients.count).toBe(0)
})
