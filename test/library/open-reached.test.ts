import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { requireConfig, writeConfig, type Config } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import type { ErrorCode } from '../../src/error-codes.ts'
import { Signer } from '../../src/hub-client/credential.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { reach, type Reached, type ReachOptions } from '../../src/library/library.ts'
import { STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'
import { hubInProcess, member, stranger } from '../fixtures/hub/hub-in-process.ts'
import { serving } from '../fixtures/hub/serving.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { freePort } from '../helpers/free-port.ts'
import { echoed, echoServer, serveTcp, type TestServer } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'

/** The path of a config file with this in it. */
function saved(config: Config): string {
  const file = path.join(scratchFolder(), 'config.json')
  writeConfig(instanceFor(file), config)
  return file
}

const withCode = (code: ErrorCode) => expect.objectContaining({ name: 'ConnectError', code }) as unknown

function untilEnd(server: TestServer): TestServer {
  onTestFinished(() => server.close())
  return server
}

async function echoWorld(options: ReachOptions = {}) {
  const hub = await hubInProcess()
  const echo = untilEnd(await echoServer())
  const server = await serving(await member(hub, 'server'), { echo: echo.port, closed: 1 })
  const config = saved(await member(hub, 'client'))
  const open = async (name = 'echo'): Promise<Reached> => {
    const reached = await reach(name, { config, ...options })
    onTestFinished(() => reached.close().catch(() => {}))
    return reached
  }
  return { hub, server, config, open, echoPort: echo.port }
}

test('says what the hub says of the service, and carries connections to it', async () => {
  const { open, echoPort } = await echoWorld()
  const echo = await open()
  expect(echo).toMatchObject({ name: 'echo', port: echoPort, label: 'server', online: true })
  const connection = await echo.connect()
  connection.end('hello')
  expect(await text(connection)).toBe('hello')
})

test('more connections at once than a hub lets wait for an answer all come through', async () => {
  const { open } = await echoWorld()
  const echo = await open()
  const ask = async (_: unknown, index: number) => {
    const connection = await echo.connect()
    connection.end(String(index))
    return text(connection)
  }
  const answers = await Promise.all(Array.from({ length: 400 }, ask))
  expect(answers).toEqual(answers.map((_, index) => String(index)))
})

test('a service that is unknown, a name that is none and a machine that has not joined are errors of ours', async () => {
  const { hub, config, open } = await echoWorld()
  await expect(open('nobody')).rejects.toEqual(withCode('SERVICE_UNKNOWN'))
  await expect(open('No Name')).rejects.toEqual(withCode('BAD_NAME'))
  const nowhere = path.join(scratchFolder(), 'config.json')
  await expect(reach('echo', { config: nowhere })).rejects.toEqual(withCode('NOT_CONFIGURED'))
  await expect(reach('echo', { config: saved(await stranger(hub)) })).rejects.toEqual(
    withCode('AGENT_UNKNOWN'),
  )
  await hub.close()
  await expect(reach('echo', { config })).rejects.toEqual(withCode('HUB_UNREACHABLE'))
})

test('a target that refuses, and a machine that is gone, are errors of connect, and the next one works', async () => {
  const { server, open } = await echoWorld()
  const [closed, echo] = [await open('closed'), await open()]
  await expect(closed.connect()).rejects.toEqual(withCode('TARGET_UNREACHABLE'))
  const connection = await echo.connect()
  connection.destroy()
  await server.stop()
  await expect(echo.connect()).rejects.toEqual(withCode('AGENT_OFFLINE'))
})

test('a service that resets at once is an error of the connection, and never an uncaught one', async () => {
  const hub = await hubInProcess()
  const { link } = await serving(await member(hub, 'server'), {}, (stream) => {
    stream.accept()
    stream.reset(STREAM_CODES.PEER_RESET, 'at once')
  })
  await link.offer([{ name: 'resets', port: 1 }])
  const reached = await reach('resets', { config: saved(await member(hub, 'client')) })
  onTestFinished(() => reached.close())
  for (let i = 0; i < 50; i++) {
    const failing = reached.connect().then((connection) => once(connection.resume(), 'close'))
    await expect(failing).rejects.toEqual(withCode('CONNECTION_RESET'))
  }
})

test('while the hub is away a connection waits, no longer than it should, and says why', async () => {
  const { hub, open } = await echoWorld({ holdMs: 300 })
  const echo = await open()
  ;(await echo.connect()).destroy()
  await hub.close()
  const error = await echo.connect().catch((thrown: unknown) => thrown)
  expect(error).toEqual(withCode('HUB_UNREACHABLE'))
  expect((error as Error).message).toMatch(/the hub.*tried for 0.3 s/)
})

test('a signal ends the wait of one connection, with its own reason', async () => {
  const { hub, open } = await echoWorld()
  const echo = await open()
  ;(await echo.connect()).destroy()
  await hub.close()
  const stop = new AbortController()
  const waiting = echo.connect({ signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(echo.connect({ signal: stop.signal })).rejects.toThrow('enough')
})

test('a connection whose answer does not come is given up by its signal, and reset', async () => {
  const hub = await hubInProcess()
  const { link } = await serving(await member(hub), {})
  await link.offer([{ name: 'silent', port: 1 }])
  const reached = await reach('silent', { config: saved(await member(hub, 'client')) })
  onTestFinished(() => reached.close())
  const stop = new AbortController()
  const connecting = reached.connect({ signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(connecting).rejects.toThrow('enough')
  await until(() => link.streamCount === 0)
})

test('close resets what is open, closes ports, fails what comes later, and may be called again', async () => {
  const { open } = await echoWorld()
  const echo = await open()
  const connection = await echo.connect()
  const { port } = await echo.listen()
  expect(await echoed(port, 'by a port')).toBe('by a port')
  const error = once(connection, 'error')
  await echo.close()
  expect((await error)[0]).toEqual(withCode('CONNECTION_RESET'))
  await expect(echoed(port, 'x')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(echo.connect()).rejects.toEqual(withCode('CONNECTION_RESET'))
  await echo.close()
  await echo.closed
})

test('a signal closes it, also before it is there', async () => {
  const { config } = await echoWorld()
  const stop = new AbortController()
  const echo = await reach('echo', { config, signal: stop.signal })
  stop.abort(new Error('enough'))
  await echo.closed
  await expect(reach('echo', { config, signal: stop.signal })).rejects.toThrow('enough')
  const soon = new AbortController()
  const opening = reach('echo', { config, signal: soon.signal })
  soon.abort(new Error('too soon'))
  await expect(opening).rejects.toThrow('too soon')
})

test('a machine that is logged out hears so by closed, and at its next connection', async () => {
  const { config, open } = await echoWorld()
  const echo = await open()
  ;(await echo.connect()).destroy()
  const credential = requireConfig(instanceFor(config))
  await new HubClient(credential).leave(new Signer(credential))
  await expect(echo.closed).rejects.toEqual(withCode('REVOKED'))
  await expect(echo.connect()).rejects.toEqual(withCode('REVOKED'))
})

test('a port that is taken is an error, and one that is closed is free again', async () => {
  const { open } = await echoWorld()
  const echo = await open()
  const taken = untilEnd(await serveTcp(() => {}))
  await expect(echo.listen({ port: taken.port, host: '127.0.0.1' })).rejects.toEqual(withCode('PORT_IN_USE'))
  const listener = await echo.listen({ host: '127.0.0.1', port: await freePort() })
  expect(listener).toMatchObject({ host: '127.0.0.1', addresses: ['127.0.0.1'] })
  await listener.close()
  const again = await echo.listen({ host: '127.0.0.1', port: listener.port })
  expect(again.port).toBe(listener.port)
})

test('no port is opened once it is closed', async () => {
  const { open } = await echoWorld()
  const echo = await open()
  const opening = echo.listen()
  const refused = expect(opening).rejects.toEqual(withCode('CONNECTION_RESET'))
  await echo.close()
  await refused
  await expect(echo.listen()).rejects.toEqual(withCode('CONNECTION_RESET'))
})
