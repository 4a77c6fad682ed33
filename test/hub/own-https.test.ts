import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'

describe('a hub for other machines, without a certificate given', () => {
  let hubHome: Home
  let hub: RunningCli
  let port: string
  let authority: string

  /** The hub of that home, on all addresses. */
  async function startHub(listen: string): Promise<void> {
    hub = startConnect(hubHome, ['hub', '--listen', listen, '--url', 'https://hub.example.com'])
    ;[, port = ''] = await hub.printed(/\[ok\] Hub listening on https:\/\/\[::\]:(\d+)\n/)
  }

  beforeAll(async () => {
    hubHome = makeHome('own')
    await startHub(`[::]:${await freePort()}`)
    authority = hubHome.file('hub/tls/authority.pem')
  })
  afterAll(async () => {
    await hub.stop()
    hubHome.remove()
  })

  test('says where its authority is, and the fingerprint by which to know it', async () => {
    await hub.printed(/Next: connect hub token create/)
    expect(hub.stderr).toBe('  Next: connect hub token create --invite (lets another machine in)\n')
    expect(hub.stdout).toContain('  Address for others: https://hub.example.com\n')
    expect(hub.stdout).toContain('  Authority of its certificate: ~/.privateconnect/hub/tls/authority.pem\n')
    expect(hub.stdout).toMatch(/\n {2}Its SHA-256: (?:[0-9A-F]{2}:){31}[0-9A-F]{2}\n/)
    expect(hub.output).not.toContain('PRIVATE KEY')
    expect(statSync(hubHome.file('hub/tls')).mode & 0o777).toBe(0o700)
  })

  test.for(['localhost', '127.0.0.1', '[::1]'])(
    'is reached at %s by whoever trusts that authority',
    async (host) => {
      const token = (await connectOk(hubHome, ['hub', 'token', 'create'])).trim()
      const login = ['login', '--hub', `https://${host}:${port}`]
      const env = { PRIVATECONNECT_TOKEN: token }
      const machine = emptyHome()
      const refused = await connect(machine, login, { env })
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain('--ca FILE')
      await connectOk(machine, [...login, '--ca', authority], { env })
    },
  )

  test('carries a service from one machine to another, and goes on after a restart', async () => {
    const echo = await echoServer()
    onTestFinished(() => echo.close())
    const joined = async (label: string) => {
      const env = { PRIVATECONNECT_TOKEN: (await connectOk(hubHome, ['hub', 'token', 'create'])).trim() }
      const home = emptyHome(label)
      await connectOk(
        home,
        ['login', '--hub', `https://localhost:${port}`, '--ca', authority, '--label', label],
        { env },
      )
      return home
    }
    const [server, client] = [await joined('server'), await joined('client')]
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
    const up = startConnect(server, ['up', '--foreground'])
    onTestFinished(() => up.stop())
    await up.printed(/Registered with hub/)
    const reach = startConnect(client, ['reach', 'echo', '--port', '0'])
    onTestFinished(() => reach.stop())
    const [, local] = await reach.printed(/is at \S+:(\d+)/)
    await reach.printed(/Connected to hub/)
    expect(await echoed(Number(local), 'by its own certificate')).toBe('by its own certificate')
    await hub.stop()
    await startHub(`[::]:${port}`)
    await Promise.all([up.printed(/Reconnected to hub/), reach.printed(/Reconnected to hub/)])
    expect(await echoed(Number(local), 'after a restart')).toBe('after a restart')
  })

  test('is for the host of its URL, too, and a TLS session is gone on with', async () => {
    const options = { port: Number(port), host: '127.0.0.1', servername: 'hub.example.com' }
    const ca = readFileSync(authority)
    const first = connectTls({ ...options, ca })
    first.resume()
    const [session] = (await once(first, 'session')) as [Buffer]
    expect(first.authorized).toBe(true)
    first.destroy()
    const second = connectTls({ ...options, ca, session })
    await once(second, 'secureConnect')
    expect(second.isSessionReused()).toBe(true)
    second.destroy()
  })
})

test.for<[string[], RegExp, number]>([
  [['--url', 'http://hub.example.com'], /hub\.example\.com would be reached over plain http\n/, 1],
  [['--url', 'https://user:s3cret@hub.example.com'], /has a user name or password in it\n/, 2],
  [['--url', 'https://'], /"https:\/\/" is not a URL\n/, 2],
  [['--url', 'https://hub.example.com/?a'], /has a query or fragment\n/, 2],
])('a hub is not started with %o', async ([args, message, expected]) => {
  const { code, stdout, stderr } = await connect(emptyHome(), ['hub', '--listen', '127.0.0.1:0', ...args])
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('s3cret')
})

test('of two hubs that are started at once on one folder one makes the certificate, and the other nothing', async () => {
  const home = emptyHome()
  const hubs = [0, 1].map(() => startConnect(home, ['hub', '--listen', '0.0.0.0:0']))
  for (const hub of hubs) onTestFinished(() => hub.stop())
  const ended = await Promise.race(hubs.map(async (hub) => ({ hub, ...(await hub.exited) })))
  const other = hubs.find((hub) => hub !== ended.hub)!
  expect(ended.code).toBe(1)
  // Which it is depends on how far the other one has come.
  expect(ended.hub.stderr).toMatch(/^\[x\] A hub (?:is already running|runs in the foreground) on /)
  expect(ended.hub.stdout).toBe('')
  await other.printed(/Its SHA-256: \S+/)
  const ca = readFileSync(home.file('hub/tls/authority.pem'))
  const [, port] = await other.printed(/listening on https:\/\/0\.0\.0\.0:(\d+)/)
  const socket = connectTls({ port: Number(port), host: '127.0.0.1', ca })
  await once(socket, 'secureConnect')
  socket.destroy()
})

test('on loopback a hub speaks plain http, whatever its URL is, and makes no certificate', async () => {
  const home = emptyHome()
  const hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0', '--url', 'hub.example.com/hub/'])
  onTestFinished(() => hub.stop())
  await hub.printed(
    /\[ok\] Hub listening on http:\/\/127\.0\.0\.1:\d+\n {2}Address for others: https:\/\/hub\.example\.com\/hub\n/,
  )
  await hub.printed(/Next: connect hub token create/)
  expect(hub.stdout).not.toContain('certificate')
})
