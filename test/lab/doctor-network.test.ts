import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { beforeAll, expect, test } from 'vitest'
import { connect, connectOk, runJs, startConnect, type RunningCli } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { Network } from './helpers/network.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

const resolver = path.join(import.meta.dirname, 'fixtures', 'silent-resolver.ts')

interface Checked {
  readonly name: string
  readonly state: string
  readonly seen: string
}

/** What each check has seen, by its name. */
function byName(stdout: string): Record<string, Checked> {
  const { checks } = JSON.parse(stdout) as { checks: Checked[] }
  return Object.fromEntries(checks.map((one) => [one.name, one]))
}

labSuite(
  'connect doctor, with a hub on another machine of the network',
  { programs: ['ip'], root: true },
  () => {
    const own = ownedBySuite()
    let network: Network
    let hubHome: Home
    let home: Home

    beforeAll(async () => {
      network = own(await Network.start(), (it) => it.stop())
      const etc = own(path.join('/etc/netns', network.name), (it) => rmSync(it, { recursive: true }))
      mkdirSync(etc, { recursive: true })
      writeFileSync(path.join(etc, 'resolv.conf'), 'nameserver 127.0.0.1\n')
      writeFileSync(path.join(etc, 'hosts'), '127.0.0.1 localhost\n')
      const names = own(there(process.execPath, [resolver, 'hub.test=127.0.0.1']), (it) => it.stop())
      await names.printed(/answering/)

      hubHome = own(makeHome('hub'), (it) => it.remove())
      home = own(makeHome('far'), (it) => it.remove())
      mkdirSync(home.folder)
      const hub = own(startConnect(hubHome, ['hub', '--listen', '0.0.0.0:0', '--insecure']), (it) =>
        it.stop(),
      )
      const [, port] = await hub.printed(/listening on http:\/\/\S+:(\d+)/)
      const env = {
        ...home.env,
        PRIVATECONNECT_TOKEN: (await connectOk(hubHome, ['hub', 'token', 'create'])).trim(),
      }
      const login = ['login', '--hub', `http://${network.host}:${port}`, '--insecure', '--label', 'far']
      expect(await there(process.execPath, [runJs, ...login], env).exited).toEqual({ code: 0, signal: null })
    })

    /** Starts a program on the far side of the cable. */
    function there(program: string, args: readonly string[], env = home?.env): RunningCli {
      const [ip, ...before] = network.prefix
      return start(ip, [...before, program, ...args], { ...(env && { env }) })
    }

    /** What doctor says there of a hub at another address than the one that was joined. */
    async function doctorThere(
      change: (hub: string) => string,
    ): Promise<{ found: Record<string, Checked>; ms: number }> {
      const before = readFileSync(home.file('config.json'), 'utf8')
      const { hub } = JSON.parse(before) as { hub: string }
      writeFileSync(home.file('config.json'), before.replace(hub, change(hub)))
      try {
        const began = performance.now()
        const running = there(process.execPath, [runJs, 'doctor', '--json'])
        await running.exited
        return { found: byName(running.stdout), ms: performance.now() - began }
      } finally {
        writeFileSync(home.file('config.json'), before)
      }
    }

    test('a machine at another address proves that the port is open, and none leaves it unknown', async () => {
      const port = async () => byName((await connect(hubHome, ['doctor', '--json'])).stdout)['hub-port']
      expect(await port()).toMatchObject({ state: 'unknown' })
      const up = there(process.execPath, [runJs, 'up'])
      await up.printed(/Connected to hub/)
      expect(await port()).toMatchObject({
        state: 'ok',
        seen: expect.stringMatching(
          /^A machine at another address is connected to 0\.0\.0\.0:\d+$/,
        ) as string,
      })
      await up.stop()
    })

    test('a name server that is silent is told as that, and nothing waits for it for long', async () => {
      const { found, ms } = await doctorThere((hub) => hub.replace(network.host, 'dead.test'))
      expect(found.dns).toMatchObject({
        state: 'failed',
        seen: expect.stringMatching(/DNS did not answer for dead\.test$/) as string,
      })
      expect(found.credential).toMatchObject({ state: 'skipped' })
      // getaddrinfo tries for ten (resolv.conf(5)), and cannot be ended.
      expect(ms).toBeLessThan(9000)
    })

    test('a firewall that drops all is told as that, and nothing waits for it for long', async () => {
      // Where nobody answers who has that address, the kernel gives up after three seconds (tcp(7), arp(7)).
      const { found, ms } = await doctorThere((hub) =>
        hub.replace(network.host, network.host.replace(/\d+$/, '77')),
      )
      expect(found.tcp).toMatchObject({ state: 'failed' })
      expect(found.tcp!.seen).toMatch(/no answer in time$|no route to the host$/)
      expect(found['hub-answer']).toMatchObject({ state: 'skipped' })
      expect(ms).toBeLessThan(15_000)
    })

    test('a network that is gone is told as that', async () => {
      await network.unplug()
      const { found } = await doctorThere((hub) => hub)
      await network.plug()
      expect(found.tcp).toMatchObject({
        state: 'failed',
        seen: expect.stringMatching(/unreachable|no route/) as string,
      })
      expect(found['hub-answer']).toMatchObject({ state: 'skipped' })
    })
  },
)
