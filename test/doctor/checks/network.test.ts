import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { tcp } from '../../../src/doctor/checks/network/tcp.ts'
import { HubWay } from '../../../src/doctor/way/hub-way.ts'
import { UNKNOWN_HUB, type HubHere } from '../../../src/tasks/machine/hub-here.ts'
import { HUB_HEADER } from '../../../src/tunnel/protocol/handshake.ts'
import { hubInProcess, member, type TestHub } from '../../fixtures/hub/hub-in-process.ts'
import { TestAuthority, type IssueOptions } from '../../helpers/certificates.ts'
import { startConnectProxy, type ConnectProxyOptions } from '../../helpers/connect-proxy.ts'
import { makeHome } from '../../helpers/home.ts'
import { serveTcp } from '../../helpers/servers.ts'
import { listening } from '../../hub-client/helpers/tls-server.ts'
import { inBetween, passUpgrades } from '../helpers/in-between.ts'
import { byState, runAll, runWayChecks } from '../helpers/way-checks.ts'

const home = makeHome('authority')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const server = await serveTcp(() => {})
  await server.close()
  return server.port
}

describe('where all is well, each check says so', () => {
  test('over plain http', async () => {
    const hub = await hubInProcess()
    const config = await member(hub)
    const before = await hub.hub.saved()
    const found = await runWayChecks({ config })
    expect(byState(found)).toEqual({
      ok: ['dns', 'tcp', 'hub-answer', 'websocket', 'credential', 'versions', 'clock'],
      skipped: ['proxy', 'tls-chain', 'tls-expiry'],
    })
    expect(found.websocket!.seen).toBe('One was opened, and closed again')
    // Looking has changed nothing that counts.
    expect(await hub.hub.saved()).toEqual(before)
  })

  test('over TLS', async () => {
    const hub = await hubInProcess(undefined, { tls: authority.issue() })
    const config = { ...(await member(hub, 'ada', authority.certFile)), ca: authority.certFile }
    const found = await runWayChecks({ config })
    expect(byState(found)).toEqual({
      ok: [
        'dns',
        'tcp',
        'tls-chain',
        'tls-expiry',
        'hub-answer',
        'websocket',
        'credential',
        'versions',
        'clock',
      ],
      skipped: ['proxy'],
    })
    expect(found['tls-chain']!.seen).toContain('Signed by Test CA')
    expect(found['tls-expiry']!.seen).toMatch(/for (29|30) more days$/)
  })
})

describe('what fails is told once, and what rests on it is skipped:', () => {
  test('a name that DNS does not know', async () => {
    const hub = await hubInProcess()
    const config = { ...(await member(hub)), hub: 'http://hub.invalid', insecure: true }
    const found = await runWayChecks({ config })
    expect(byState(found).failed).toEqual(['dns'])
    expect(byState(found).ok).toBeUndefined()
    expect(found.dns!.seen).toMatch(/^Could not reach the hub at http:\/\/hub\.invalid: /)
    expect(found.credential!.seen).toBe('Not looked at, since the hub’s name can’t be looked up')
  })

  test('a port that nobody listens at', async () => {
    const hub = await hubInProcess()
    const config = { ...(await member(hub)), hub: `http://127.0.0.1:${await closedPort()}` }
    const found = await runWayChecks({ config })
    expect(byState(found)).toMatchObject({ ok: ['dns'], failed: ['tcp'] })
    expect(found.tcp!.seen).toMatch(/: connection refused$/)
    expect(found.websocket!.seen).toBe('Not looked at, since there is no connection to the hub')
  })

  test('of the hub on this machine, which does not run: with what starts it', async () => {
    const hub = await hubInProcess()
    const way = new HubWay({ ...(await member(hub)), hub: `http://127.0.0.1:${await closedPort()}` })
    const found = async (state: HubHere['state']) => {
      const report = {
        hub: { ...UNKNOWN_HUB, state },
        instance: hubInstance({}),
        said: undefined,
        isDataAbsent: false,
      }
      const startStep = async () => ({ command: 'connect hub start', note: null })
      return (await runAll([tcp], { way: async () => way, hubReport: async () => report, startStep })).tcp!
        .fix
    }
    expect(await found('stopped')).toBe('Start the hub on this machine: connect hub start')
    expect(await found('running')).toMatch(/^Check the address/)
  })

  test('a hub that takes connections and says nothing', async () => {
    const hub = await hubInProcess()
    const silent = await serveTcp(() => {})
    onTestFinished(() => silent.close())
    const config = { ...(await member(hub)), hub: `http://127.0.0.1:${silent.port}` }
    const found = await runWayChecks({ config, stageMs: 200 })
    expect(byState(found)).toMatchObject({ ok: ['dns', 'tcp'], failed: ['hub-answer'] })
    expect(found['hub-answer']!.seen).toMatch(/: no answer in time$/)
    expect(found.clock!.seen).toBe('Not looked at, since the hub does not answer')
  })

  test('a TLS handshake that nobody answers', async () => {
    const hub = await hubInProcess()
    const silent = await serveTcp(() => {})
    onTestFinished(() => silent.close())
    const config = { ...(await member(hub)), hub: `https://127.0.0.1:${silent.port}` }
    const found = await runWayChecks({ config, stageMs: 200 })
    expect(byState(found)).toMatchObject({ ok: ['dns', 'tcp'], failed: ['tls-chain'] })
    expect(found['tls-chain']!.seen).toMatch(/: no answer in time$/)
  })
})

describe('TLS', () => {
  const cases: [string, IssueOptions | undefined, boolean, RegExp][] = [
    ['an unknown authority', {}, false, /does not know \(signed by Test CA, valid from \d{4}-\d\d-\d\d to /],
    [
      'a certificate for another name',
      { names: 'DNS:other.test' },
      true,
      /it is for other\.test \(signed by/,
    ],
    ['a certificate that has expired', { days: -1 }, true, /has expired \(signed by Test CA, valid from/],
  ]
  test.for(cases)('%s fails', async ([, issue, isTrusted, seen]) => {
    const good = await hubInProcess(undefined, { tls: authority.issue() })
    const bad = await hubInProcess(undefined, { tls: authority.issue(issue) })
    const ca = isTrusted ? authority.certFile : undefined
    const config = { ...(await member(good, 'ada', authority.certFile)), hub: bad.url, ca }
    const found = await runWayChecks({ config })
    expect(byState(found)).toMatchObject({ ok: ['dns', 'tcp'], failed: ['tls-chain'] })
    expect(found['tls-chain']!.seen).toMatch(seen)
    expect(found['hub-answer']!.seen).toBe('Not looked at, since TLS to the hub fails')
  })

  test('is believed of none but the authority that the invite has named', async () => {
    const hub = await hubInProcess(undefined, { tls: authority.issue({ full: true }) })
    const config = await member(hub, 'ada', authority.certFile)
    const named = (file: string) => ({
      ...config,
      ca: authority.certFile,
      authority: readFileSync(file, 'utf8'),
    })
    const { 'tls-chain': good } = await runWayChecks({ config: named(authority.certFile) })
    expect(good).toMatchObject({
      state: 'ok',
      seen: expect.stringMatching(/the invite has named$/) as string,
    })
    const other = new TestAuthority(path.join(home.folder, 'other'))
    const { 'tls-chain': bad } = await runWayChecks({ config: named(other.certFile) })
    expect(bad).toMatchObject({
      state: 'failed',
      seen: expect.stringMatching(
        /is not of the authority that this machine’s invite names \(signed by Test CA/,
      ) as string,
      fix: 'If the hub has another certificate on purpose, ask for a new invite to it, and run: connect logout, then connect login',
    })
  })

  test('fails where the file of the authority is gone', async () => {
    const hub = await hubInProcess(undefined, { tls: authority.issue() })
    const config = {
      ...(await member(hub, 'ada', authority.certFile)),
      ca: path.join(home.folder, 'none.pem'),
    }
    const found = await runWayChecks({ config })
    expect(byState(found).failed).toEqual(['tls-chain'])
    expect(found['tls-chain']!.seen).toContain('none.pem')
  })

  test('that ends soon is a warning', async () => {
    const hub = await hubInProcess(undefined, { tls: authority.issue({ days: 3 }) })
    const config = { ...(await member(hub, 'ada', authority.certFile)), ca: authority.certFile }
    // A certificate of three days is soon over when a quarter of them is left.
    vi.useFakeTimers({ now: Date.now() + 2.5 * 86_400_000, toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { 'tls-expiry': found } = await runWayChecks({ config })
    expect(found).toMatchObject({
      state: 'warning',
      seen: expect.stringMatching(/for 0 more days$/) as string,
    })
    expect(found!.fix).toMatch(/^Have it renewed by whoever runs the hub/)
  })
})

describe('a proxy', () => {
  async function byProxy(options: ConnectProxyOptions, hub: TestHub, saved?: string) {
    const proxy = await startConnectProxy({ hosts: { 'hub.test': hub.hub.port }, ...options })
    onTestFinished(() => proxy.close())
    vi.stubEnv('http_proxy', '')
    vi.stubEnv('HTTP_PROXY', proxy.url)
    vi.stubEnv('NO_PROXY', '')
    vi.stubEnv('no_proxy', '')
    onTestFinished(() => void vi.unstubAllEnvs())
    const config = {
      ...(await member(hub)),
      hub: 'http://hub.test',
      insecure: true,
      proxy: saved ?? `${proxy.url}/`,
    }
    return runWayChecks({ config })
  }

  test('that leads to the hub is told, and where it is set', async () => {
    const found = await byProxy({}, await hubInProcess())
    expect(byState(found)).toEqual({
      ok: ['proxy', 'hub-answer', 'websocket', 'credential', 'versions', 'clock'],
      skipped: ['dns', 'tcp', 'tls-chain', 'tls-expiry'],
    })
    expect(found.proxy!.seen).toMatch(/^http:\/\/127\.0\.0\.1:\d+, set in HTTP_PROXY, leads to the hub$/)
    expect(found.dns!.seen).toMatch(/^The proxy http:\S+ looks the hub’s name up$/)
  })

  test.for<[string, ConnectProxyOptions, RegExp]>([
    ['that wants a password', { login: 'ada:secret' }, /wants a user name and password$/],
    ['that refuses', { refuseWith: 403 }, /does not let hub\.test:80 through: it answered with HTTP 403/],
    ['that finds no hub', { hosts: {} }, /could not reach hub\.test:80: it answered with HTTP 502/],
  ])('%s fails, and nothing else does', async ([, options, seen]) => {
    const found = await byProxy(options, await hubInProcess())
    expect(byState(found).failed).toEqual(['proxy'])
    expect(byState(found).ok).toBeUndefined()
    expect(found.proxy!.seen).toMatch(seen)
    expect(found['hub-answer']!.seen).toBe('Not looked at, since the proxy does not lead to the hub')
  })

  test('that only the daemon has is a warning', async () => {
    vi.stubEnv('NO_PROXY', '.test')
    vi.stubEnv('no_proxy', '.test')
    onTestFinished(() => void vi.unstubAllEnvs())
    const config = { ...(await member(await hubInProcess())), hub: 'http://hub.test', insecure: true }
    const { proxy: found } = await runWayChecks({
      config: { ...config, proxy: 'http://old.test:3128/' },
      stageMs: 500,
    })
    expect(found).toMatchObject({
      state: 'warning',
      seen: 'This shell goes without one, and the daemon by the one of its config',
    })
  })

  test('that only this shell has is a warning: the daemon goes by its config', async () => {
    const found = await byProxy({}, await hubInProcess(), 'http://old.test:3128/')
    expect(found.proxy).toMatchObject({
      state: 'warning',
      fix: expect.stringMatching(/daemon restart/) as string,
    })
  })

  test('that can’t be used is told once, without its password', async () => {
    const hub = await hubInProcess()
    vi.stubEnv('http_proxy', 'socks5://ada:secret@proxy.test')
    onTestFinished(() => void vi.unstubAllEnvs())
    const found = await runWayChecks({
      config: { ...(await member(hub)), hub: 'http://hub.test', insecure: true },
    })
    expect(byState(found).failed).toEqual(['proxy'])
    expect(found.proxy!.seen).toMatch(/is a socks5 proxy/)
    expect(JSON.stringify(found)).not.toContain('secret')
  })
})

describe('what answers and is no hub', () => {
  test('is a network that wants a login first, if it leads elsewhere', async () => {
    const hub = await hubInProcess()
    const server = createServer((_request, response) =>
      response.writeHead(302, { location: 'https://login.hotel.test/\u009b?from=hub' }).end(),
    )
    const config = { ...(await member(hub)), hub: `http://127.0.0.1:${await listening(server)}` }
    const { 'hub-answer': answer, ...others } = await runWayChecks({ config })
    expect(answer).toMatchObject({
      state: 'failed',
      seen: `What answers at ${config.hub} is no hub: HTTP 302, which leads to login.hotel.test`,
      fix: expect.stringMatching(/wants a login first, open any web page in a browser/) as string,
    })
    expect(byState(others)).toMatchObject({ ok: ['dns', 'tcp'] })
    expect(byState(others).failed).toBeUndefined()
  })

  test('speaks plain http where the hub’s address says https, and that is said', async () => {
    const hub = await hubInProcess()
    const config = { ...(await member(hub)), hub: hub.url.replace('http', 'https') }
    const { 'tls-chain': found } = await runWayChecks({ config })
    expect(found!.seen).toMatch(/does not speak TLS$/)
  })

  test('speaks HTTPS where the address says http, and that is said', async () => {
    const hub = await hubInProcess(undefined, { tls: authority.issue() })
    const config = {
      ...(await member(hub, 'ada', authority.certFile)),
      hub: hub.url.replace('https', 'http'),
    }
    const { 'hub-answer': found } = await runWayChecks({ config })
    expect(found).toMatchObject({
      state: 'failed',
      seen: expect.stringMatching(/speaks HTTPS, and not plain http$/) as string,
    })
  })
})

describe('a WebSocket that is not let through, though HTTP is,', () => {
  test.for<[string, Parameters<typeof inBetween>[1], RegExp]>([
    ['since the wish for it is left out', {}, /: the hub gets a request without it$/],
    [
      'since something refuses it',
      {
        upgrade: (_request, socket) => void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
      },
      /: something else answers, with HTTP 403$/,
    ],
    [
      'since the connection is reset',
      { upgrade: (_request, socket) => void socket.resetAndDestroy() },
      /: connection reset$/,
    ],
    ['since nothing comes back', { upgrade: () => {} }, /: no answer in time$/],
  ])('%s, is told as that', async ([, options, seen]) => {
    const hub = await hubInProcess()
    const config = { ...(await member(hub)), hub: await inBetween(hub.hub.port, options) }
    const found = await runWayChecks({ config, stageMs: 500 })
    expect(byState(found).failed).toEqual(['websocket'])
    expect(found.websocket!.seen).toMatch(/^Something between here and the hub lets no WebSocket through/)
    expect(found.websocket!.seen).toMatch(seen)
    expect(found.websocket!.fix).toMatch(/Upgrade and Connection/)
    expect(byState(found).ok).toContain('credential')
  })

  test('unlike one before the hub that passes it on', async () => {
    const hub = await hubInProcess()
    const upgrade = passUpgrades(hub.hub.port)
    const config = { ...(await member(hub)), hub: await inBetween(hub.hub.port, { upgrade }) }
    const { websocket } = await runWayChecks({ config })
    expect(websocket).toMatchObject({ state: 'ok', seen: 'One was opened, and closed again' })
  })

  test('may be let through only as far as the answer', async () => {
    const hub = await hubInProcess()
    const pass = passUpgrades(hub.hub.port)
    const config = {
      ...(await member(hub)),
      hub: await inBetween(hub.hub.port, {
        // The first is without a credential.
        upgrade: (request, socket) =>
          request.headers.authorization === undefined ? pass(request, socket) : void socket.resetAndDestroy(),
      }),
    }
    const { websocket } = await runWayChecks({ config })
    expect(websocket).toMatchObject({
      state: 'failed',
      seen: expect.stringMatching(/none is opened: connection reset$/) as string,
    })
  })
})

test('what a stranger puts into its header reaches no terminal, and fills none', async () => {
  const hub = await hubInProcess()
  const server = createServer((_request, response) => {
    response.setHeader(HUB_HEADER, 'hub_0123456789abcdef')
    response.setHeader('content-type', `text/\u009b${'x'.repeat(10_000)}`)
    response.end('{}')
  })
  const config = { ...(await member(hub)), hub: `http://127.0.0.1:${await listening(server)}` }
  const { 'hub-answer': found } = await runWayChecks({ config })
  expect(found!.state).toBe('failed')
  expect(found!.seen).not.toMatch(/\p{Cc}/u)
  expect(found!.seen.length).toBeLessThan(1000)
})
