import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connectTcp, type ConnectTcpOptions } from '../../src/net/connect-tcp.ts'
import type { Address } from '../../src/net/known-addresses.ts'
import { NameResolver } from '../../src/net/name-resolver.ts'
import { describeNetworkError } from '../../src/net/network-error.ts'
import { probeTarget } from '../../src/net/probe-target.ts'
import { echoServer } from '../helpers/servers.ts'

const unasked = new NameResolver({ system: () => Promise.reject(new Error('a lookup')) })

async function listening(host: string): Promise<number> {
  const server = createServer((socket) => socket.end())
  onTestFinished(() => void server.close())
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

function connected(
  target: { host: string; port: number },
  options: Partial<ConnectTcpOptions> = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connectTcp(target, { names: unasked, ...options }, (error, socket) => {
      if (error) return reject(error)
      onTestFinished(() => void socket!.destroy())
      resolve(socket!)
    })
  })
}

test.for([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '[::1]'],
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost'],
])('what listens on %s is found at %s without a lookup', async ([listener, host]) => {
  const port = await listening(listener!)
  expect((await connected({ host: host!, port })).remoteAddress).toBe(listener)
})

test('a name leads to the first of its addresses that answers', async () => {
  const port = await listening('127.0.0.1')
  const addresses: Address[] = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]
  const names = new NameResolver({ system: async () => addresses })
  expect((await connected({ host: 'db.test', port }, { names })).remoteAddress).toBe('127.0.0.1')
})

test('the deadline holds for the lookup, too, and the error says what was waited for', async () => {
  const names = new NameResolver({ system: () => new Promise(() => {}) })
  const error = await connected({ host: 'db.test', port: 1 }, { names, timeoutMs: 5 }).catch(
    (it: unknown) => it,
  )
  expect(describeNetworkError(error)).toBe('DNS did not answer for db.test')
})

test('one that is given up during the lookup never connects', async () => {
  const port = await listening('127.0.0.1')
  const lookup = Promise.withResolvers<Address[]>()
  const names = new NameResolver({ system: () => lookup.promise })
  const heard: unknown[] = []
  connectTcp({ host: 'db.test', port }, { names, timeoutMs: 1 }, () => heard.push('first'))()
  lookup.resolve([{ address: '127.0.0.1', family: 4 }])
  await connected({ host: '127.0.0.1', port })
  expect(heard).toEqual([])
})

test('whoever asks a target hears why it does not answer', async () => {
  const server = await echoServer()
  const target = { host: 'localhost', port: server.port }
  expect(await probeTarget(target)).toEqual({ isListening: true })
  await server.close()
  expect(await probeTarget(target)).toEqual({ isListening: false, why: 'connection refused' })
  expect(await probeTarget({ host: 'no-such-host.invalid', port: 1 }, { timeoutMs: 20_000 })).toEqual({
    isListening: false,
    why: expect.stringMatching(
      /^(host name not found|the host name could not be looked up|DNS did not .*)$/,
    ) as string,
  })
})
