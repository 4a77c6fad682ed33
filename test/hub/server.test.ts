import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHub, type HubOptions } from '../../src/hub/server.ts'
import { linked, member } from '../fixtures/hub/hub-in-process.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { connect, startConnect } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import { echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

const optionsFor = (folder: string): HubOptions => ({
  folder,
  host: '127.0.0.1',
  port: 0,
  version: '0.1.0',
  log: () => {},
})

describe('a hub that cannot start says why', () => {
  test('its database is damaged; and once that is fixed, it starts', async () => {
    const folder = scratchFolder()
    const file = path.join(folder, 'hub.db')
    writeFileSync(file, 'not a database, but long enough to be one '.repeat(100))
    expect((await rejectionOf(startHub(optionsFor(folder)))).code).toBe('HUB_DATA_DAMAGED')
    writeFileSync(file, '')
    const hub = await startHub(optionsFor(folder))
    await hub.close()
  })

  test('its port is taken; and it holds on to nothing', async () => {
    const folder = scratchFolder()
    const other = await echoServer()
    const error = await rejectionOf(startHub({ ...optionsFor(folder), port: other.port }))
    expect(error.code).toBe('PORT_IN_USE')
    await other.close()
    const hub = await startHub({ ...optionsFor(folder), port: other.port })
    expect(hub.port).toBe(other.port)
    await hub.close()
  })

  test('its address is not this machine’s', async () => {
    const error = await rejectionOf(startHub({ ...optionsFor(scratchFolder()), host: '192.0.2.1' }))
    expect(error.code).toBe('CANNOT_LISTEN')
  })
})

test('a hub on localhost tells the one address that it has: the other may be another user’s', async () => {
  const hub = await startHub({ ...optionsFor(scratchFolder()), host: 'localhost' })
  const { listen, url } = hub.status()
  await hub.close()
  expect(listen).toMatch(/^(?:127\.0\.0\.1|\[::1\]):\d+$/)
  expect([url, hub.address]).toEqual([`http://${listen}`, `http://${listen}`])
})

test('a hub keeps its id and its members over a restart', async () => {
  const folder = scratchFolder()
  const first = await startHub({ ...optionsFor(folder), port: await freePort() })
  const url = `http://127.0.0.1:${first.port}`
  const ada = await member({ hub: first, url, folder, log: [] })
  const { link } = await linked(ada)
  await link.offer([{ name: 'web', port: 80 }])
  await first.close()
  const again = await startHub({ ...optionsFor(folder), port: first.port })
  expect(again.id).toBe(first.id)
  await expect.poll(() => link.state.state, { timeout: 30_000 }).toBe('connected')
  await again.close()
})

describe('connect hub', () => {
  let world: World
  beforeAll(async () => {
    world = await World.start()
  })
  afterAll(() => world.stop())

  test('is refused on a folder where one runs', async () => {
    const { code, stdout, stderr } = await connect(world.hubHome, ['hub', '--listen', '127.0.0.1:0'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^\[x\] A hub runs in the foreground on ~\/\.privateconnect\/hub already \(PID: \d+\)\n {2}See how/,
    )
  })

  test.for(['token', 'agent'])(
    'has no %s to list where no hub has ever run, and none is made up',
    async (kind) => {
      const home = emptyHome()
      const { code, stdout, stderr } = await connect(home, ['hub', kind, 'list'])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^\[x\] There is no hub’s data in ~\/\.privateconnect\/hub\n {2}\S.*\n$/)
      expect(existsSync(home.file('hub'))).toBe(false)
    },
  )

  test('warns at every start with --insecure', async () => {
    const hub = world.keep(startConnect(emptyHome(), ['hub', '--listen', '0.0.0.0:0', '--insecure']))
    await hub.printed(/\[ok\] Hub listening on http:\/\/0\.0\.0\.0:\d+\n/)
    expect(hub.stderr).toMatch(
      /^\[!\] The hub speaks plain http on 0\.0\.0\.0:0: anyone on the way can read /,
    )
    await hub.stop('SIGINT')
    expect(await hub.exited).toEqual({ code: 0, signal: null })
  })
})
