import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { TestAuthority, pemOf } from '../helpers/certificates.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { startConnectProxy, type ConnectProxy, type ConnectProxyOptions } from '../helpers/connect-proxy.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer, type TestServer } from '../helpers/servers.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'

/** A name that only the proxy knows: whoever reaches it has come through the proxy. */
const HUB = 'https://hub.test'

const folder = makeHome('proxy')
let authority: TestAuthority
let world: World
let hubPort: number
let echo: TestServer

beforeAll(async () => {
  authority = new TestAuthority(folder.folder)
  const { cert, key } = authority.issue({ names: 'DNS:hub.test,IP:127.0.0.1' })
  world = await World.start({
    hub: ['--tls-cert', cert, '--tls-key', key],
    login: ['--ca', authority.certFile],
  })
  hubPort = Number(new URL(world.hubUrl).port)
  echo = await echoServer()
})
afterAll(async () => {
  await world.stop()
  await echo.close()
  folder.remove()
})

async function proxyWith(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const proxy = await startConnectProxy({ hosts: { 'hub.test': hubPort }, ...options })
  onTestFinished(() => proxy.close())
  return proxy
}

const withLogin = (url: string) => url.replace('://', '://ada:s%40cret@')

async function tryLogin(home: Home, env: NodeJS.ProcessEnv, hub = HUB) {
  const token = await world.joinToken()
  const args = ['login', '--hub', hub, '--ca', authority.certFile]
  return connect(home, args, { env: { ...env, PRIVATECONNECT_TOKEN: token } })
}

async function machineBehind(env: NodeJS.ProcessEnv): Promise<Home> {
  const home = world.emptyMachine()
  const { code, stderr } = await tryLogin(home, env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return home
}

describe('a service is reached by machines that have only a proxy to the hub:', () => {
  testVariations([
    ['an open one', {}, (url: string) => url],
    ['one with a password', { login: 'ada:s@cret' }, withLogin],
    ['one that is spoken to over TLS', { tls: true }, (url: string) => url],
  ] as const)('%s', async ([, options, address]) => {
    const proxy = await proxyWith('tls' in options ? { tls: pemOf(authority.issue()) } : options)
    const env = { HTTPS_PROXY: address(proxy.url) }
    const server = await machineBehind(env)
    // As a service manager would: without the shell's environment.
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
    const status = JSON.parse(await connectOk(server, ['daemon', 'status', '--json', '--wait', '30s']))
    expect(status).toMatchObject({ proxy: proxy.url, connection: { state: 'connected' } })
    const client = await machineBehind(env)
    const { port } = await world.reach(client, 'echo')
    expect(await echoed(port, 'through the proxy')).toBe('through the proxy')
    // Login: who is there, and joining, for each machine; a link each; the list of services.
    expect(proxy.asked.length).toBeGreaterThanOrEqual(7)
    expect(new Set(proxy.asked)).toEqual(new Set(['hub.test:443']))
    expect(proxy.strays).toEqual([])
    await connectOk(server, ['unexpose', 'echo'])
  })
})

test('a hub on plain http to another machine is reached by HTTP_PROXY', { tags: ['variation'] }, async () => {
  const plain = await World.start()
  onTestFinished(() => plain.stop())
  const proxy = await proxyWith({ hosts: { 'hub.test': Number(new URL(plain.hubUrl).port) } })
  const machine = async () => {
    const home = plain.emptyMachine()
    const env = { HTTP_PROXY: proxy.url, PRIVATECONNECT_TOKEN: await plain.joinToken() }
    await connectOk(home, ['login', '--hub', 'http://hub.test', '--insecure'], { env })
    return home
  }
  const server = await machine()
  await connectOk(server, ['daemon', 'start'])
  await connectOk(server, ['expose', String(echo.port), '--name', 'plain'])
  const { port } = await plain.reach(await machine(), 'plain')
  expect(await echoed(port, 'in the open')).toBe('in the open')
  expect(new Set(proxy.asked)).toEqual(new Set(['hub.test:80']))
  expect(proxy.strays).toEqual([])
})

test('loopback is never proxied', async () => {
  const proxy = await proxyWith()
  const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }
  const { code } = await tryLogin(world.emptyMachine(), env, world.hubUrl)
  expect(code).toBe(0)
  expect(proxy.asked).toEqual([])
})

test('NO_PROXY goes around the proxy', async () => {
  const proxy = await proxyWith()
  const { code, stderr } = await tryLogin(world.emptyMachine(), { HTTPS_PROXY: proxy.url, NO_PROXY: '.test' })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^\[x\] Could not reach the hub at https:\/\/hub\.test: .*(not found|looked up)/)
  expect(proxy.asked).toEqual([])
})

describe('a proxy that does not lead to the hub says why:', () => {
  test.for([
    [
      'it wants a password',
      { login: 'ada:secret' },
      /The proxy \S+ wants a user name and password\n {2}Give them in https_proxy: http:\/\/USER:PASSWORD@127/,
    ],
    [
      'it refuses the hub',
      { refuseWith: 403 },
      /The proxy \S+ does not let hub\.test:443 through: it answered with HTTP 403 Forbidden\n.*port 443.*\n.*NO_PROXY=hub\.test/,
    ],
    [
      'it can’t reach the hub',
      { hosts: { 'hub.test': 1 } },
      /The proxy \S+ could not reach hub\.test:443: it answered with HTTP 502 Bad Gateway\n/,
    ],
  ] as const)('%s', async ([, options, message]) => {
    const proxy = await proxyWith(options)
    const { code, stderr } = await tryLogin(world.emptyMachine(), { https_proxy: proxy.url })
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
  })

  test('it does not accept the password, which is not printed', async () => {
    const proxy = await proxyWith({ login: 'ada:other' })
    const { code, stdout, stderr } = await tryLogin(world.emptyMachine(), {
      HTTPS_PROXY: withLogin(proxy.url),
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] The proxy http:\/\/127\S+ does not accept the user name and password\n/)
    expect(stdout + stderr).not.toMatch(/s@cret|s%40cret|ada/)
  })

  test('it is not there', async () => {
    const gone = await startConnectProxy()
    await gone.close()
    const { code, stderr } = await tryLogin(world.emptyMachine(), { HTTPS_PROXY: gone.url })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `[x] Could not reach the proxy ${gone.url}: connection refused\n  The proxy is set in HTTPS_PROXY.\n`,
    )
  })

  test('it is no proxy', async () => {
    const { code, stderr } = await tryLogin(world.emptyMachine(), { HTTPS_PROXY: `127.0.0.1:${echo.port}` })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Could not reach the proxy http:\/\/127\S+: /)
  })
})

describe('the saved proxy', () => {
  let proxy: ConnectProxy
  let home: Home
  beforeEach(async () => {
    proxy = await proxyWith({ login: 'ada:s@cret' })
    home = await machineBehind({ HTTPS_PROXY: withLogin(proxy.url) })
  })
  const shown = async () => JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])).proxy as unknown

  test('is used by every command, and its password is in no output, log or argument', async () => {
    const env = { DEBUG: '*' }
    await connectOk(home, ['daemon', 'start'])
    const running = startConnect(home, ['up', '--foreground'])
    await running.exited
    const outputs = [running.output, execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })]
    for (const args of [
      ['services'],
      ['whoami'],
      ['daemon', 'status'],
      ['daemon', 'install', '--dry-run'],
      ['daemon', 'logs'],
    ]) {
      const { stdout, stderr } = await connect(home, args, { env })
      outputs.push(stdout, stderr)
    }
    expect(outputs.join('\n')).not.toMatch(/s@cret|s%40cret/)
    const holders = readdirSync(home.file('.'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => /s@cret|s%40cret/.test(readFileSync(file, 'latin1')))
    expect(holders).toEqual([home.file('config.json')])
    expect(statSync(home.file('config.json')).mode & 0o777).toBe(0o600)
  })

  test(
    'stays when a command is run without one, and changes with another',
    { tags: ['variation'] },
    async () => {
      await connectOk(home, ['daemon', 'start'])
      expect(await shown()).toBe(proxy.url)
      const other = await proxyWith()
      await connectOk(home, ['daemon', 'restart'], { env: { HTTPS_PROXY: other.url } })
      expect(await shown()).toBe(other.url)
      await connectOk(home, ['daemon', 'status', '--wait', '30s'])
      expect(other.asked).toContain('hub.test:443')
    },
  )

  test('is forgotten where NO_PROXY names the hub', async () => {
    await connectOk(home, ['login'], { env: { NO_PROXY: 'hub.test' } })
    expect(await shown()).toBeNull()
  })
})

test('a proxy of another kind is refused, without its password', async () => {
  const env = { HTTPS_PROXY: 'socks5://ada:s@cret@127.0.0.1:1' }
  const { code, stderr } = await tryLogin(world.emptyMachine(), env)
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^\[x\] The proxy in HTTPS_PROXY is a socks5 proxy, which is not supported\n {2}Fix HTTPS_PROXY/,
  )
  expect(stderr).not.toContain('s@cret')
})
