import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { TestAuthority } from '../helpers/certificates.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { startCaddy, startHaproxy, startNginx, type ReverseProxy } from './helpers/reverse-proxy.ts'
import { labSuite } from './helpers/suite.ts'

/** Longer than two pings, and than what a reverse proxy is told to bear. */
const IDLE_MS = 35_000

const STARTS = [
  ['nginx', startNginx],
  ['haproxy', startHaproxy],
  ['caddy', startCaddy],
] as const

for (const [program, startProxy] of STARTS) {
  labSuite(`a hub behind ${program}, as docs/hub.md has it`, { programs: [program, 'openssl'] }, () => {
    const own = ownedBySuite()
    let authority: TestAuthority
    let world: World
    let proxy: ReverseProxy
    let echo: Awaited<ReturnType<typeof echoServer>>

    beforeAll(async () => {
      const home = own(makeHome('authority'), (it) => it.remove())
      authority = new TestAuthority(home.folder)
      echo = own(await echoServer(), (it) => it.close())
      world = own(await World.start({ hub: ['--plain-http'] }), (it) => it.stop())
      const hub = new URL(world.hubUrl).host
      proxy = own(await startProxy({ hub, certificate: authority.issue() }), (it) => it.stop())
    })

    async function machineBy(hub: string): Promise<Home> {
      const machine = world.emptyMachine()
      const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
      await connectOk(machine, ['login', '--hub', hub, '--ca', authority.certFile], { env })
      return machine
    }

    test('leads to a service, and an idle link outlives its time-outs', async () => {
      const server = await machineBy(`https://127.0.0.1:${proxy.port}`)
      await connectOk(server, ['daemon', 'start'])
      await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
      const { port, cli } = await world.reach(await machineBy(`https://127.0.0.1:${proxy.port}`), 'echo')
      expect(await echoed(port, 'before')).toBe('before')
      await sleep(IDLE_MS)
      expect(await echoed(port, 'after')).toBe('after')
      expect(cli.output).not.toContain('Reconnecting')
      expect(await connectOk(server, ['daemon', 'logs'])).not.toContain('Reconnecting')
    })

    test('plain http to its HTTPS port is told', async () => {
      const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
      const hub = `http://127.0.0.1:${proxy.port}`
      const { code, stderr } = await connect(world.emptyMachine(), ['login', '--hub', hub], { env })
      expect(code).toBe(1)
      expect(stderr).toMatch(/speaks HTTPS, and not plain http\n/)
    })

    if (program !== 'nginx') return
    test('under a path, too', async () => {
      const server = await machineBy(`https://127.0.0.1:${proxy.port}/hub`)
      await connectOk(server, ['daemon', 'start'])
      await connectOk(server, ['expose', String(echo.port), '--name', 'below'])
      const { port } = await world.reach(await machineBy(`https://127.0.0.1:${proxy.port}/hub/`), 'below')
      expect(await echoed(port, 'under a path')).toBe('under a path')
    })
  })
}
