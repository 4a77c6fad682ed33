import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { hubStatus } from '../../../src/hub/control/client.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connect, connectOk, startConnect } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'

interface Away {
  readonly home: Home
  /** Where the disk is mounted when it is. */
  readonly mount: string
  readonly data: string
  readonly hubId: string
  /** As if the disk were mounted. */
  readonly bringBack: () => void
}

/** A hub whose data was on a disk that is not mounted now. @param name of its folder there; empty for all */
async function awayHub(name: string): Promise<Away> {
  const base = scratchFolder()
  const [mount, disk] = [path.join(base, 'mount'), path.join(base, 'disk')]
  const data = path.join(mount, name)
  const home = emptyHome()
  await connectOk(home, ['hub', 'start', '--listen', '127.0.0.1:0', '--data-dir', data])
  const { hubId } = (await hubStatus(hubInstance({ dataDir: data }, home.folder)))!
  await connectOk(home, ['hub', 'stop'])
  renameSync(mount, disk)
  mkdirSync(mount, { mode: 0o755 })
  const bringBack = () => {
    rmdirSync(mount)
    renameSync(disk, mount)
  }
  return { home, mount, data, hubId, bringBack }
}

test.each([
  ['in a folder of the disk', 'hub'],
  ['all of the disk', ''],
])('while the data of the hub is away, %s, no command makes another in its place', async (_, name) => {
  const { home, mount, data, hubId, bringBack } = await awayHub(name)
  const refused =
    `[x] The hub’s data is not in ${path.resolve(data)}, where it was\n` +
    '  If that is on a disk that is not mounted, mount it. Nothing was made in its place.\n'
  for (const words of [
    ['hub', 'start'],
    ['hub', 'start', '--data-dir', data],
    ['hub', 'restart'],
    ['hub'],
    ['hub', 'token', 'create'],
    ['hub', 'agent', 'list'],
    ['hub', '--listen', '127.0.0.1:0', '--data-dir', data],
    ['hub', 'token', 'create', '--data-dir', data],
    ['hub', 'token', 'list', '--data-dir', data],
  ]) {
    const { code, stderr } = await connect(home, words)
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(refused) as string })
  }
  await connectOk(home, ['hub', 'stop'])
  await connectOk(home, ['hub', 'uninstall'])
  expect(await connectOk(home, ['hub', 'logs'])).toContain('Stopped')
  expect(await connectOk(home, ['hub', 'status'])).toContain('where it was\n')
  expect(readdirSync(mount)).toEqual([])
  bringBack()
  await connectOk(home, ['hub', 'start'])
  expect(await hubStatus(hubInstance({ dataDir: data }, home.folder))).toMatchObject({ hubId })
})

test('a hub that a service manager starts before its disk is mounted waits for that, and is the same hub', async () => {
  const { home, mount, data, hubId, bringBack } = await awayHub('hub')
  const hub = startConnect(home, ['hub'], { env: { CONNECT_DAEMON: '1', CONNECT_SUPERVISOR: 'systemd' } })
  onTestFinished(() => hub.stop('SIGKILL'))
  await expect
    .poll(() => connectOk(home, ['hub', 'logs']), { timeout: 30_000 })
    .toContain('where it was. Waiting for it')
  expect(readdirSync(mount)).toEqual([])
  bringBack()
  const instance = hubInstance({ dataDir: data }, home.folder)
  await expect.poll(() => hubStatus(instance), { timeout: 30_000 }).toMatchObject({ hubId })
})

test('one that waits for its disk is stopped as any other, and in the background ends with 78 at once', async () => {
  const { home, mount } = await awayHub('hub')
  const env = { CONNECT_DAEMON: '1', CONNECT_SUPERVISOR: 'systemd' }
  const hub = startConnect(home, ['hub'], { env })
  await expect.poll(() => connectOk(home, ['hub', 'logs']), { timeout: 30_000 }).toContain('Waiting for it')
  hub.kill('SIGTERM')
  expect(await hub.exited).toEqual({ code: null, signal: 'SIGTERM' })
  const background = { ...env, CONNECT_SUPERVISOR: 'background' }
  expect(await connect(home, ['hub'], { env: background })).toMatchObject({ code: 78 })
  expect(readdirSync(mount)).toEqual([])
})

test('with --reset a hub begins anew where its data is away', async () => {
  const { home, data, hubId } = await awayHub('hub')
  await connectOk(home, ['hub', 'start', '--reset', '--listen', '127.0.0.1:0', '--data-dir', data])
  const status = await hubStatus(hubInstance({ dataDir: data }, home.folder))
  expect(status!.hubId).not.toBe(hubId)
})

test('a backup is brought back where the data is away, if that folder is named', async () => {
  const { home, mount, data, hubId, bringBack } = await awayHub('hub')
  bringBack()
  const backup = path.join(scratchFolder(), 'backup.db')
  await connectOk(home, ['hub', 'backup', backup])
  rmSync(mount, { recursive: true })
  mkdirSync(mount)
  expect(await connect(home, ['hub', 'restore', backup])).toMatchObject({ code: 1 })
  expect(readdirSync(mount)).toEqual([])
  await connectOk(home, ['hub', 'restore', backup, '--data-dir', data])
  await connectOk(home, ['hub', 'start'])
  expect(await hubStatus(hubInstance({ dataDir: data }, home.folder))).toMatchObject({ hubId })
})
