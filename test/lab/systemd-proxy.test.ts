import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { TestAuthority } from '../helpers/certificates.ts'
import { connectOk } from '../helpers/cli.ts'
import { startConnectProxy, type ConnectProxy } from '../helpers/connect-proxy.ts'
import { makeHome } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { bare, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

const PASSWORD = /s@cret|s%40cret/

labSuite('a service behind a proxy, with a hub of a private authority', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine
  let proxy: ConnectProxy
  let port: number

  beforeAll(async () => {
    const home = own(makeHome('authority'), (it) => it.remove())
    const authority = new TestAuthority(home.folder)
    const { cert, key } = authority.issue({ names: 'DNS:hub.test,IP:127.0.0.1' })
    const options = { hub: ['--tls-cert', cert, '--tls-key', key], login: ['--ca', authority.certFile] }
    const world = own(await World.start(options), (it) => it.stop())
    const echo = own(await echoServer(), (it) => it.close())
    const hosts = { 'hub.test': Number(new URL(world.hubUrl).port) }
    proxy = own(await startConnectProxy({ hosts, login: 'ada:s@cret' }), (it) => it.close())
    machine = own(await Machine.start({ polkit: true }), (it) => it.stop())

    await machine.write('company ca.pem', readFileSync(authority.certFile, 'utf8'))
    const env = {
      HTTPS_PROXY: proxy.url.replace('://', '://ada:s%40cret@'),
      PRIVATECONNECT_TOKEN: await world.joinToken(),
      CONNECT_HUB_URL: 'https://hub.test',
    }
    await machine.connectOk(['daemon', 'install', '--ca', 'company ca.pem'], { env, timeoutMs: 100_000 })
    await machine.connectOk(['expose', `127.0.0.1:${echo.port}`, '--name', 'echo'], bare)
    const client = await world.machine('client')
    await connectOk(client, ['services'])
    port = (await world.reach(client, 'echo')).port
  }, MACHINE_START_MS)

  test('is reached, though systemd knows nothing of the proxy', async () => {
    expect(await echoed(port, 'through the proxy')).toBe('through the proxy')
    const environment = await machine.runOk(['systemctl', '--user', 'show', UNIT, '--property=Environment'])
    expect(environment).not.toMatch(/proxy/i)
    expect(new Set(proxy.asked)).toEqual(new Set(['hub.test:443']))
  })

  test('comes back by itself after a reboot', async () => {
    const before = proxy.asked.length
    await machine.reboot()
    await machine.connectOk(['daemon', 'status', '--wait', '60s'], { timeoutMs: 100_000 })
    expect(proxy.asked.length).toBeGreaterThan(before)
    expect(await echoed(port, 'once more')).toBe('once more')
  })

  test('shows the password nowhere', async () => {
    const shown = [
      await machine.read(UNIT_FILE),
      await machine.read('.privateconnect/daemon.log'),
      await machine.connectOk(['daemon', 'status']),
      await machine.connectOk(['daemon', 'install', '--dry-run']),
      ...(await machine.processes()).map(({ command }) => command),
    ]
    expect(shown.join('\n')).not.toMatch(PASSWORD)
    expect(await machine.read('.privateconnect/config.json')).toMatch(PASSWORD)
  })
})
