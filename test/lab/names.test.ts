import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { beforeAll, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { connectOk, runJs, startConnect, type RunningCli } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { Network } from './helpers/network.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { run, runOk, start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

const fixture = (name: string) => path.join(import.meta.dirname, 'fixtures', name)

interface Dialled {
  readonly host: string
  readonly how: string
  readonly ms: number
}

labSuite(
  'names and addresses, on a machine with a resolver that is silent on most names',
  { programs: ['ip'], root: true },
  () => {
    const own = ownedBySuite()
    let network: Network
    let far: string
    let home: Home
    let hub: RunningCli
    let port: string

    beforeAll(async () => {
      network = own(await Network.start(), (it) => it.stop())
      far = network.host.replace(/\d+$/, '9')
      // `ip netns exec` puts these in the place of those in /etc (ip-netns(8)).
      const etc = own(path.join('/etc/netns', network.name), (it) => rmSync(it, { recursive: true }))
      mkdirSync(etc, { recursive: true })
      writeFileSync(path.join(etc, 'resolv.conf'), 'nameserver 127.0.0.1\n')
      writeFileSync(
        path.join(etc, 'hosts'),
        `127.0.0.1 localhost\n127.0.0.1 listed.test\n${far} far.test\n2001:db8::9 far.test\n`,
      )
      const resolver = there(process.execPath, [
        fixture('silent-resolver.ts'),
        'hub.test=127.0.0.1',
        'good.test=127.0.0.1',
      ])
      own(resolver, (it) => it.stop())
      await resolver.printed(/answering/)

      const hubHome = own(makeHome('hub'), (it) => it.remove())
      home = own(makeHome('far'), (it) => it.remove())
      hub = own(startConnect(hubHome, ['hub', '--listen', '0.0.0.0:0', '--insecure']), (it) => it.stop())
      port = (await hub.printed(/listening on http:\/\/\S+:(\d+)/))[1]!
      const token = (await connectOk(hubHome, ['hub', 'token', 'create'])).trim()
      mkdirSync(home.folder)
      home.env.PRIVATECONNECT_TOKEN = token
    })

    /** Starts a program on the far side of the cable. */
    function there(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): RunningCli {
      const [ip, ...before] = network.prefix
      return start(ip, [...before, program, ...args], { ...(env && { env }) })
    }

    test('ten dead names stand in the way of no other: hub, hosts, DNS, numbers and localhost answer within 1 s', async () => {
      const listener = there(process.execPath, ['-e', LISTEN])
      const [, at] = await listener.printed(/port (\d+)/)
      const dead = Array.from({ length: 10 }, (_, index) => `dead-${index}.test`)
      const alive = ['hub.test', 'listed.test', 'good.test', '127.0.0.1', 'localhost']
      const dialling = there(process.execPath, [
        fixture('dial-names.ts'),
        ...[...dead, ...alive].map((name) => `${name}:${at}`),
      ])
      await dialling.exited
      await listener.stop()
      const results = dialling.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Dialled)
      console.log(results.map(({ host, ms }) => `${host} ${ms.toFixed(0)} ms`).join(', '))
      const quick = results.filter(({ how, ms }) => how === 'connected' && ms < 1000)
      expect(quick.map(({ host }) => host).toSorted()).toEqual(alive.toSorted())
      const failed = results.filter(({ how }) => how !== 'connected')
      expect(failed.map(({ how }) => how).toSorted()).toEqual(
        dead.map((name) => `DNS did not answer for ${name}`),
      )
    })

    test('a hub that is far away, with an address of each family and no IPv6 here, is reached', async () => {
      const args = ['login', '--hub', `http://far.test:${port}`, '--insecure', '--label', 'far']
      const login = there(process.execPath, [runJs, ...args], home.env)
      // It has asked who has that address, and asks again a second later: so long the handshake takes.
      await until(
        async () => {
          const { stdout } = await run('ip', ['-n', network.name, 'neighbour', 'show', far])
          return /INCOMPLETE/.test(stdout)
        },
        { everyMs: 10 },
      )
      await runOk('ip', ['address', 'add', `${far}/32`, 'dev', `${network.name}h`])
      expect(await login.exited, login.output).toEqual({ code: 0, signal: null })
      expect(login.output).toContain(`[ok] Logged in to http://far.test:${port}`)
    })

    test('expose says of a name that nobody answers for that it is so, and does not stay', async () => {
      const began = performance.now()
      const exposing = there(process.execPath, [runJs, 'expose', 'dead.test:80', '--name', 'dead'], home.env)
      expect(await exposing.exited).toEqual({ code: 0, signal: null })
      expect(exposing.stderr).toContain(
        '[!] Nothing answers at dead.test:80 now: DNS did not answer for dead.test',
      )
      expect(performance.now() - began).toBeLessThan(4500)
    })
  },
)

const LISTEN = `
const server = require('node:net').createServer((socket) => socket.destroy())
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port))
`
