import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hubInstance, type HubInstance } from '../../../src/config/hub/hub-instance.ts'
import { findProcess } from '../../../src/control/find-process.ts'
import { hubStatus } from '../../../src/hub/control/client.ts'
import type { HubServiceStatus } from '../../../src/tasks/hub/status.ts'
import type { MachineStatus } from '../../../src/tasks/machine/machine-status.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connect, connectOk, startConnect, type RunningCli } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'

const POLL = { timeout: 30_000, interval: 20 }

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

/** As a service manager starts it that no command here can ask. */
function startKept(home: Home, supervisor = 'systemd'): RunningCli {
  const env = { CONNECT_DAEMON: '1', CONNECT_SUPERVISOR: supervisor }
  const hub = startConnect(home, ['hub'], { env })
  onTestFinished(() => hub.stop('SIGKILL'))
  return hub
}

/** A hub that waits for its disk. */
async function waitingHub(): Promise<Away & { readonly instance: HubInstance; readonly hub: RunningCli }> {
  const away = await awayHub('hub')
  const instance = hubInstance({ dataDir: away.data }, away.home.folder)
  const hub = startKept(away.home)
  await expect
    .poll(() => findProcess(instance), POLL)
    .toMatchObject({ state: 'running', agent: { pid: hub.pid }, waitsFor: away.data })
  return { ...away, instance, hub }
}

const statusOf = async (home: Home) =>
  JSON.parse(await connectOk(home, ['hub', 'status', '--json'])) as HubServiceStatus

/** What a hub that waits says who it is by. */
const waitingFiles = ({ waiting }: HubInstance) =>
  [waiting!.recordFile, waiting!.pidFile].filter((file) => existsSync(file))

test('a hub that a service manager starts before its disk is mounted waits for that, and is the same hub', async () => {
  const { home, mount, hubId, bringBack, instance, hub } = await waitingHub()
  expect(await connectOk(home, ['hub', 'logs'])).toContain('where it was. Waiting for it')
  expect(readdirSync(mount)).toEqual([])
  bringBack()
  // Whoever looks finds it at every moment, waiting or at work.
  const seen = async () => {
    const found = await findProcess(instance)
    expect(found).toMatchObject({ state: 'running', agent: { pid: hub.pid } })
    return hubStatus(instance)
  }
  await expect.poll(seen, POLL).toMatchObject({ hubId, agent: { pid: hub.pid } })
  expect(waitingFiles(instance)).toEqual([])
  expect(await statusOf(home)).toMatchObject({ status: 'running', waitsFor: null, pid: hub.pid })
})

test('every command finds a hub that waits for its disk', async () => {
  const { home, mount, data, instance, hub } = await waitingHub()
  const waiting = `Waiting for its data folder ${data}, most likely on a disk that is not mounted`
  expect(await statusOf(home)).toMatchObject({
    status: 'starting',
    reason: waiting,
    pid: hub.pid,
    waitsFor: data,
    unresponsive: true,
    silence: 'it waits for its data',
  })
  expect(await connect(home, ['hub', 'status', '--check'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`  ○ Status: starting\n    ${waiting}\n`) as string,
  })
  expect(await connectOk(home, ['status'])).toContain(
    `  Hub here: running (PID: ${hub.pid}) at 127.0.0.1:0, waiting for its data folder ${data}\n`,
  )
  const { hub: here, next } = JSON.parse(await connectOk(home, ['status', '--json'])) as MachineStatus
  expect(here).toMatchObject({ state: 'running', mode: 'daemon', waitsFor: data })
  expect(next).toEqual([{ command: 'connect hub status', note: 'says more' }])
  const doctor = await connect(home, ['doctor', '--json'])
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; seen: string }[] }
  expect(checks.find(({ name }) => name === 'hub-process')).toMatchObject({
    state: 'failed',
    seen: `${waiting} (PID: ${hub.pid})`,
    fix: 'If that is on a disk that is not mounted, mount it. Nothing was made in its place.',
  })
  const { stdout, stderr } = await connect(home, ['hub', 'start'])
  expect(stdout).toContain(`[ok] Hub already running (PID: ${hub.pid})\n`)
  expect(stderr).toBe(`[!] ${waiting}. It begins once that is mounted\n`)
  for (const words of [
    ['hub', 'restart'],
    ['hub', 'start', '--listen', '127.0.0.1:1'],
  ])
    expect(await connect(home, words)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`[x] The hub’s data is not in ${data}, where it was\n`) as string,
    })
  expect(await connect(home, ['hub', 'start', '--data-dir', path.join(mount, 'other')])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`[x] The hub waits for ${data} (PID: ${hub.pid})\n`) as string,
  })
  expect((await findProcess(instance)).state).toBe('running')
  expect(readdirSync(mount)).toEqual([])
})

test('one that waits for its disk is stopped as any other, and in the background ends with 78 at once', async () => {
  const { home, mount, instance, hub } = await waitingHub()
  expect(await connectOk(home, ['hub', 'stop'])).toBe('[ok] Hub stopped\n')
  expect(await hub.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(await statusOf(home)).toMatchObject({
    status: 'stopped',
    waitsFor: null,
    cleanedUpStalePid: false,
    lastExit: { reason: 'stopped by SIGTERM' },
  })
  expect(await connectOk(home, ['hub', 'stop'])).toContain('there is nothing to stop')
  expect((await findProcess(instance)).state).toBe('none')
  expect(await startKept(home, 'background').exited).toMatchObject({ code: 78 })
  expect(readdirSync(mount)).toEqual([])
})

test('one that waits and hears no SIGTERM is killed after 5 s', { tags: ['variation'] }, async () => {
  const { home, instance, hub } = await waitingHub()
  hub.kill('SIGSTOP')
  expect(await connectOk(home, ['hub', 'stop'])).toContain('It did not end within 5 s and was killed\n')
  expect(await hub.exited).toMatchObject({ signal: 'SIGKILL' })
  expect(await statusOf(home)).toMatchObject({
    status: 'stopped',
    lastExit: { reason: 'killed by stop, 5 s after SIGTERM', signal: 'SIGKILL' },
  })
  expect((await findProcess(instance)).state).toBe('none')
})

test('one that was killed while it waited is not taken for one that waits', async () => {
  const { home, mount, instance, hubId, bringBack, hub } = await waitingHub()
  await hub.stop('SIGKILL')
  expect((await findProcess(instance)).state).toBe('stale')
  expect(await statusOf(home)).toMatchObject({
    status: 'stopped',
    waitsFor: null,
    cleanedUpStalePid: true,
    lastExit: { reason: 'it ended without a word: killed, or crashed' },
  })
  expect((await findProcess(instance)).state).toBe('none')
  expect(readdirSync(mount)).toEqual([])
  const next = startKept(home)
  await expect.poll(() => findProcess(instance), POLL).toMatchObject({ agent: { pid: next.pid } })
  await next.stop('SIGKILL')
  bringBack()
  await connectOk(home, ['hub', 'start'])
  expect(await hubStatus(instance)).toMatchObject({ hubId })
  expect(await statusOf(home)).toMatchObject({
    status: 'running',
    lastExit: { reason: 'stopped by SIGTERM' },
  })
})

test('of two that wait for the same disk one gets it, and the other waits for that one', async () => {
  const { home, bringBack, instance, hub } = await waitingHub()
  const second = startKept(home)
  await expect.poll(() => connectOk(home, ['hub', 'logs']), POLL).toContain('Waiting for another hub on ')
  expect(await findProcess(instance)).toMatchObject({ agent: { pid: hub.pid } })
  bringBack()
  await expect.poll(() => hubStatus(instance), POLL).toMatchObject({ agent: { pid: hub.pid } })
  await hub.stop()
  await expect.poll(() => hubStatus(instance), POLL).toMatchObject({ agent: { pid: second.pid } })
  expect(waitingFiles(instance)).toEqual([])
})

test('beside one that waits another hub runs on other data', async () => {
  const { home, instance, hub } = await waitingHub()
  const other = startConnect(home, ['hub', '--listen', '127.0.0.1:0', '--data-dir', scratchFolder()])
  onTestFinished(() => other.stop('SIGKILL'))
  await other.printed(/listening on/)
  expect(await findProcess(instance)).toMatchObject({ agent: { pid: hub.pid } })
})

test('with --reset a hub begins anew where its data is away, be one waiting for that or not', async () => {
  const { home, data, hubId, hub } = await waitingHub()
  await connectOk(home, ['hub', 'start', '--reset', '--listen', '127.0.0.1:0', '--data-dir', data])
  const status = await hubStatus(hubInstance({ dataDir: data }, home.folder))
  expect(status!.hubId).not.toBe(hubId)
  expect(status!.agent.pid).not.toBe(hub.pid)
  expect(await hub.exited).toMatchObject({ signal: 'SIGTERM' })
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
