import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../helpers/cli.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

test('a hub whose database is damaged while it runs ends with 1, and says so', async () => {
  // The hub says that it listens before the thread of its database is up.
  await until(() => existsSync(world.hubHome.file('hub/hub.db-wal')))
  // This has the hub read anew what it has read: another process writes it.
  const token = await world.joinToken()
  for (const name of ['hub.db', 'hub.db-wal']) {
    const file = world.hubHome.file(`hub/${name}`)
    writeFileSync(file, readFileSync(file).fill(0xa5, 32), { flag: 'r+' })
  }
  const home = world.emptyMachine('second')
  const login = await connect(home, ['login', '--hub', world.hubUrl], {
    env: { PRIVATECONNECT_TOKEN: token },
  })
  expect(login.code).toBe(1)
  expect(await world.hub.exited).toEqual({ code: 1, signal: null })
  expect(world.hub.stderr).toMatch(/\[x\] The hub’s database is damaged: .+\n {2}Restore a backup/)
})
