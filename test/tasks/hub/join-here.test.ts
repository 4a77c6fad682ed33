import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { readConfig } from '../../../src/config/config.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { formatTarget } from '../../../src/config/target.ts'
import { defaultLabel } from '../../../src/config/label.ts'
import { outwardAddresses } from '../../../src/net/own-address.ts'
import { joinHere, type Joining } from '../../../src/tasks/hub/join-here.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { World } from '../../helpers/world.ts'

interface Listed {
  readonly id: string
  readonly label: string
}

async function withHub(name: string, listen: string): Promise<Home> {
  const home = emptyHome(name)
  await connectOk(home, ['hub', 'start', '--listen', listen])
  // As its agent has it, which no command has made yet.
  mkdirSync(path.dirname(home.file('config.json')), { recursive: true, mode: 0o700 })
  return home
}

function join(home: Home): Promise<Joining> {
  const makeToken = async () => (await createToken(home.file('hub'), { ttlMs: 60_000, uses: 1 })).token
  return joinHere(hubInstance({}, home.folder), instanceFor(undefined, home.folder), makeToken)
}
const configOf = (home: Home) => readConfig(instanceFor(undefined, home.folder))!
const exposes = (home: Home) => connectOk(home, ['services', '--json'])

async function members(home: Home): Promise<Listed[]> {
  return (JSON.parse(await connectOk(home, ['hub', 'agent', 'list', '--json'])) as { agents: Listed[] })
    .agents
}

test('a machine joins the hub on it over loopback, by the hub’s own authority, and spends the token', async () => {
  const home = await withHub('own', '0.0.0.0:0')
  const joining = await join(home)
  expect(joining).toMatchObject({ outcome: 'joined', reason: null })
  expect(joining.hub).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(configOf(home).authority).toContain('BEGIN CERTIFICATE')
  expect(await members(home)).toMatchObject([{ id: joining.agentId, label: defaultLabel() }])
  expect(JSON.parse(await connectOk(home, ['hub', 'token', 'list', '--json']))).toMatchObject({
    tokens: [{ state: 'used up' }],
  })
  await exposes(home)
  // It joins no second time.
  expect(await join(home)).toEqual({ ...joining, outcome: 'member' })
  expect(await members(home)).toHaveLength(1)
})

test('on loopback it is plain http, and once the hub has another address the machine has that, too', async () => {
  const home = await withHub('moves', '127.0.0.1:0')
  const { hub, agentId } = await join(home)
  expect(hub).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  await connectOk(home, ['hub', 'start', '--listen', '0.0.0.0:0'])
  const moved = await join(home)
  expect(moved).toMatchObject({ outcome: 'moved', agentId })
  expect(moved.hub).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(configOf(home).hub).toBe(moved.hub)
  await exposes(home)
})

const outward = outwardAddresses()[0]

test.skipIf(outward === undefined)(
  'where the hub has moved to plain http that others reach, the machine can follow it',
  async () => {
    const home = await withHub('follows', '127.0.0.1:0')
    await join(home)
    await connectOk(home, [
      'hub',
      'start',
      '--listen',
      formatTarget({ host: outward!, port: 0 }),
      '--insecure',
    ])
    expect(await join(home)).toMatchObject({ outcome: 'moved' })
    expect(JSON.parse(await exposes(home))).toEqual({ exposed: [], offered: [] })
  },
)

test('one that is logged in to another hub stays there, and one whose config can’t be read has not joined', async () => {
  const world = await World.start()
  try {
    const home = await joined(world)
    await connectOk(home, ['hub', 'start', '--listen', '127.0.0.1:0'])
    const before = configOf(home)
    expect(await join(home)).toEqual({
      outcome: 'elsewhere',
      agentId: before.agentId,
      hub: world.hubUrl,
      reason: null,
    })
    expect(configOf(home)).toEqual(before)
    writeFileSync(home.file('config.json'), '{')
    expect(await join(home)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('config') as string,
    })
    expect(await members(home)).toEqual([])
  } finally {
    await world.stop()
  }
})
