import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { RunningCli } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { freePort } from '../helpers/free-port.ts'
import { HundredStreams } from './helpers/hundred-streams.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { Packages } from './helpers/package.ts'
import { postgresPrograms, startPostgres } from './helpers/postgres.ts'
import { runOk } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

const needs = { programs: [...postgresPrograms, 'npm'], root: true }

labSuite('a hub in a terminal that another version takes over from', needs, () => {
  const own = ownedBySuite()
  let packages: Packages
  let homes: Record<'hub' | 'server' | 'laptop', Home>
  let listen: string
  let hub: RunningCli
  let ports: { echo: number; postgres: number }

  beforeAll(async () => {
    packages = own(await Packages.make(), (it) => it.remove())
    await packages.install(packages.before)
    const postgres = own(await startPostgres(), (it) => it.stop())
    const echo = own(await echoServer(), (it) => it.close())
    const home = (name: string) => {
      const made = own(makeHome(name), (it) => it.remove())
      mkdirSync(made.folder)
      return made
    }
    homes = { hub: home('hub'), server: home('server'), laptop: home('laptop') }
    listen = `127.0.0.1:${await freePort()}`
    await startHub()
    for (const machine of [homes.server, homes.laptop]) {
      const token = (await ok(homes.hub, 'hub token create')).trim()
      await ok(machine, `login --hub http://${listen}`, { PRIVATECONNECT_TOKEN: token })
      await ok(machine, 'daemon start')
      own(machine, () => ok(machine, 'daemon stop'))
    }
    await ok(homes.server, `expose ${echo.port} --name echo`)
    await ok(homes.server, `expose ${postgres.port} --name postgres`)
    ports = { echo: await keep('echo'), postgres: await keep('postgres') }
  })

  /** Of the version that is installed now. */
  const program = () => path.join(packages.prefix, 'bin', 'connect')

  async function startHub(): Promise<void> {
    const args = [program(), 'hub', '--listen', listen]
    hub = own(new RunningCli(spawn(process.execPath, args, { env: homes.hub.env }), 'hub'), (it) => it.stop())
    await hub.printed(/listening on/)
  }

  function ok({ env }: Home, line: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
    return runOk(process.execPath, [program(), ...line.split(' ')], { env: { ...env, ...more } })
  }

  async function keep(name: string): Promise<number> {
    const kept = await ok(homes.laptop, `reach ${name} --keep --port ${await freePort()}`)
    return Number(/is kept at localhost:(\d+)/.exec(kept)![1])
  }

  test('breaks none of 100 streams, and serves the agents of the one before', async () => {
    const streams = own(await HundredStreams.open(ports), (it) => it.close())
    await packages.install(packages.now)
    await hub.stop()
    await startHub()
    console.log('upgrade in a terminal: answers took up to %d to %d ms', ...(await streams.goOn()))
    expect(await echoed(ports.echo, 'a new one')).toBe('a new one')
  })
})
