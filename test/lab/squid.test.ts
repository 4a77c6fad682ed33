import { beforeAll, expect, test } from 'vitest'
import { TestAuthority } from '../helpers/certificates.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { NCSA_AUTH, startSquid, type Squid } from './helpers/squid.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('a hub that is reached through Squid', { programs: ['squid', 'openssl', NCSA_AUTH] }, () => {
  const own = ownedBySuite()
  let authority: TestAuthority
  let world: World
  let squid: Squid
  let hub: string
  let echo: Awaited<ReturnType<typeof echoServer>>

  beforeAll(async () => {
    const home = own(makeHome('authority'), (it) => it.remove())
    authority = new TestAuthority(home.folder)
    const { cert, key } = authority.issue({ names: 'DNS:hub.test' })
    echo = own(await echoServer(), (it) => it.close())
    world = own(await World.start({ hub: ['--tls-cert', cert, '--tls-key', key] }), (it) => it.stop())
    hub = `https://hub.test:${new URL(world.hubUrl).port}`
    const options = { host: 'hub.test', user: 'ada', password: 'p@ss:word' }
    squid = own(await startSquid(options), (it) => it.stop())
  })

  async function login(home: Home, proxy: string, url = hub) {
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken(), HTTPS_PROXY: proxy }
    return connect(home, ['login', '--hub', url, '--ca', authority.certFile], { env })
  }

  async function machine(): Promise<Home> {
    const home = world.emptyMachine()
    const { stderr } = await login(home, `http://ada:p%40ss%3Aword@127.0.0.1:${squid.port}`)
    expect(stderr).toBe('')
    return home
  }

  test('leads to a service', async () => {
    const server = await machine()
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
    const { port } = await world.reach(await machine(), 'echo')
    expect(await echoed(port, 'through Squid')).toBe('through Squid')
  })

  test.for([
    ['without a password', '', /^\[x\] The proxy http:\/\/127\S+ wants a user name and password\n/],
    [
      'with a wrong one',
      'ada:wrong@',
      /^\[x\] The proxy http:\/\/127\S+ does not accept the user name and password\n/,
    ],
  ] as const)('says so %s', async ([, credentials, message]) => {
    const { code, stderr } = await login(world.emptyMachine(), `http://${credentials}127.0.0.1:${squid.port}`)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
  })

  test('says so where its rules forbid the hub, and where the hub is not there', async () => {
    const proxy = `http://ada:p%40ss%3Aword@127.0.0.1:${squid.port}`
    const forbidden = await login(world.emptyMachine(), proxy, 'https://other.test')
    expect(forbidden.stderr).toMatch(
      /does not let other\.test:443 through: it answered with HTTP 403 Forbidden\n/,
    )
    const gone = await login(world.emptyMachine(), proxy, 'https://hub.test:1')
    expect(gone.stderr).toMatch(
      /could not reach hub\.test:1: it answered with HTTP 503 Service Unavailable\n/,
    )
  })
})
