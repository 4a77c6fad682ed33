import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { readConfig } from '../../../src/config/config.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { formatTarget } from '../../../src/config/target.ts'
import { defaultLabel } from '../../../src/config/label.ts'
import { outwardAddresses } from '../../../src/net/own-address.ts'
import { joinHere, type Joining } from '../../../src/tasks/hub/join-here.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connectOk, startConnect } from '../../helpers/cli.ts'
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

test('on loopback, too; and once the hub has another address the machine has that, with the same authority', async () => {
  const home = await withHub('moves', '127.0.0.1:0')
  const { hub, agentId } = await join(home)
  expect(hub).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  const { authority } = configOf(home)
  expect(authority).toContain('BEGIN CERTIFICATE')
  await connectOk(home, ['hub', 'start', '--listen', '0.0.0.0:0'])
  // By the start itself.
  expect(configOf(home)).toMatchObject({ agentId, authority })
  expect(configOf(home).hub).not.toBe(hub)
  expect(await join(home)).toMatchObject({ outcome: 'member', agentId, hub: configOf(home).hub })
  await exposes(home)
})

describe('a machine that has joined the hub over plain http', () => {
  /** By one in the foreground, at `localhost`, as one does for a trial. */
  async function afterTrial(...flags: string[]): Promise<{ home: Home; port: string; agentId: string }> {
    const home = emptyHome('trial')
    const foreground = startConnect(home, ['hub', '--listen', '127.0.0.1:0', ...flags])
    onTestFinished(() => foreground.stop('SIGKILL'))
    const [, port] = await foreground.printed(/listening on http:\/\/127\.0\.0\.1:(\d+)/)
    const token = await connectOk(home, ['hub', 'token', 'create', ...flags])
    await connectOk(home, ['login', '--hub', `http://localhost:${port}`], {
      env: { PRIVATECONNECT_TOKEN: token.trim() },
    })
    await foreground.stop()
    const { agentId } = configOf(home)
    return { home, port: port!, agentId }
  }

  test('goes on by https, once that is kept, and spends no token; and back with --plain-http', async () => {
    const { home, port, agentId } = await afterTrial()
    const started = await connectOk(home, ['hub', 'start', '--listen', `127.0.0.1:${port}`])
    const moved = 'This machine has joined it before, and has its new address'
    expect(started).toContain(`  ${moved}: https://127.0.0.1:${port}\n`)
    expect(configOf(home)).toMatchObject({ agentId, hub: `https://127.0.0.1:${port}` })
    expect(configOf(home).authority).toContain('BEGIN CERTIFICATE')
    await exposes(home)
    const plain = await connectOk(home, ['hub', 'start', '--plain-http'])
    expect(plain).toContain(`  ${moved}: http://127.0.0.1:${port}\n`)
    expect(configOf(home).authority).toBeUndefined()
    await exposes(home)
    expect(await members(home)).toHaveLength(1)
    expect(await connectOk(home, ['hub', 'restart'])).not.toContain('This machine')
  })

  test('is told the authority anew where the hub has made another', async () => {
    const home = await withHub('anew', '127.0.0.1:0')
    await join(home)
    const { authority } = configOf(home)
    await connectOk(home, ['hub', 'stop'])
    rmSync(home.file('hub/tls'), { recursive: true })
    await connectOk(home, ['hub', 'start'])
    expect(configOf(home).authority).not.toBe(authority)
    await exposes(home)
  })

  test('is told how to join where another hub has its address now, and nothing of it is changed', async () => {
    const { home, port } = await afterTrial('--data-dir', scratchFolder())
    const before = configOf(home)
    const started = await connectOk(home, ['hub', 'start', '--listen', `127.0.0.1:${port}`])
    expect(started).toContain(
      `  This machine is logged in to another hub, which was at http://localhost:${port}. ` +
        'To have it join this one: connect logout, then connect hub token create --invite | connect login --token-file -\n',
    )
    expect(configOf(home)).toEqual(before)
  })

  test('is told so where the hub has revoked it', async () => {
    const { home, port, agentId } = await afterTrial()
    await connectOk(home, ['hub', 'agent', 'revoke', agentId])
    const before = configOf(home)
    const started = await connectOk(home, ['hub', 'start', '--listen', `127.0.0.1:${port}`])
    expect(started).toContain(`  The hub knows this machine (${agentId}) no more. To have it join`)
    expect(configOf(home)).toEqual(before)
  })
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
    const { hub, insecure, authority } = configOf(home)
    expect({ insecure, authority }).toEqual({ insecure: true, authority: undefined })
    expect(hub).toContain('http://')
    expect(JSON.parse(await exposes(home))).toEqual({ exposed: [], offered: [], warnings: [] })
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
