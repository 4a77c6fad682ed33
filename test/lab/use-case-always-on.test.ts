import { beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { postgresPrograms, psql, startPostgres, type Postgres } from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'
import { Terminal } from './helpers/terminal.ts'

labSuite(
  'an always-on development environment',
  { programs: ['tmux', ...postgresPrograms], root: true },
  () => {
    const own = ownedBySuite()
    let world: World
    let postgres: Postgres
    let server: Home
    let terminal: Terminal

    beforeAll(async () => {
      postgres = own(await startPostgres(), (it) => it.stop())
      const launcher = own(makeLauncher(), (it) => it.remove())
      world = own(await World.start(), (it) => it.stop())
      server = world.emptyMachine('server')
      const env = {
        PATH: launcher.path,
        CONNECT_HUB_URL: world.hubUrl,
        // So that nothing is installed on the machine that runs this test.
        CONNECT_PLATFORM: 'background',
      }
      terminal = own(await Terminal.open(server, env), (it) => it.close())
    })

    test('typed into a terminal it comes to a database that outlives the terminal', async () => {
      const token = await world.joinToken()
      await terminal.type('connect up --label laptop')
      await terminal.shows(/Invite or join token .*:$/m)
      await terminal.type(token)
      const [screen] = await terminal.shows(/[^]*\[ok\] Connected to hub[^]*/)
      expect(screen).not.toContain(token)
      await terminal.press('C-c')
      await terminal.shows(/Stopped\s+\S*[$#]$/m)

      const install = await terminal.runs('connect daemon install')
      expect(install.code).toBe(1)
      expect(install.screen).toMatch(/\[x\] No service manager is supported[^]*connect daemon start/)

      const started = await terminal.runs('connect daemon start')
      expect(started).toMatchObject({
        code: 0,
        screen: expect.stringContaining('[ok] Daemon started (PID: '),
      })
      const exposed = await terminal.runs(`connect expose localhost:${postgres.port} --name postgres`)
      expect(exposed).toMatchObject({ code: 0, screen: expect.stringContaining('[ok] Exposing') })

      const { port } = await world.reach(await world.machine('client'), 'postgres')
      expect(await psql(port, 'select 6 * 7')).toBe('42')
      await terminal.close()
      expect(await psql(port, "select 'still ' || 'there'")).toBe('still there')
      expect(await connectOk(server, ['daemon', 'status'])).toContain('● Status: running')
    })
  },
)
