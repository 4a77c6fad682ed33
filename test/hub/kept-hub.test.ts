import { X509Certificate } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hubInstance, type HubInstance } from '../../src/config/hub/hub-instance.ts'
import { writeHubSettings, type HubSettings } from '../../src/config/hub/hub-settings.ts'
import { readProcessRecord } from '../../src/control/process-record.ts'
import { findProcess } from '../../src/control/find-process.ts'
import { hubStatus } from '../../src/hub/control/client.ts'
import type { HubStatus } from '../../src/hub/control/schema.ts'
import { isLocked } from '../../src/files/lock.ts'
import { startConnect, type RunningCli } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoServer } from '../helpers/servers.ts'

const POLL = { timeout: 30_000, interval: 20 }

/** A home whose hub has these settings. */
function homeWith(settings: HubSettings = {}): { home: Home; instance: HubInstance } {
  const home = makeHome('hub')
  onTestFinished(() => home.remove())
  const saved = { listen: '127.0.0.1:0', ...settings }
  writeHubSettings(saved, home.folder)
  return { home, instance: hubInstance(saved, home.folder) }
}

/** As a platform starts it. @param supervisor `background` starts it once */
function startKept(home: Home, supervisor = 'systemd'): RunningCli {
  const hub = startConnect(home, ['hub'], {
    env: { CONNECT_DAEMON: '1', CONNECT_SUPERVISOR: supervisor },
  })
  onTestFinished(() => hub.stop('SIGKILL'))
  return hub
}

async function answering(instance: HubInstance, pid?: number): Promise<HubStatus> {
  let status: HubStatus | undefined
  const isIt = async () => {
    status = await hubStatus(instance)
    return status !== undefined && (pid === undefined || status.agent.pid === pid)
  }
  await expect.poll(isIt, POLL).toBe(true)
  return status!
}

const logOf = ({ logFile }: HubInstance) => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')

test('a kept hub has its record, its PID file and its log, and says how it stands', async () => {
  const { home, instance } = homeWith({ plainHttp: true, url: 'https://hub.example.com' })
  const hub = startKept(home)
  const status = await answering(instance)
  expect(status).toMatchObject({
    agent: { pid: hub.pid, mode: 'daemon', configFile: instance.mainFile },
    url: 'https://hub.example.com',
    joined: 0,
    online: 0,
    links: 0,
    streams: 0,
    unsaved: null,
  })
  expect(status.hubId).toMatch(/^hub_/)
  expect((await fetch(`http://${status.listen}/healthz`)).ok).toBe(true)
  expect(readFileSync(instance.pidFile, 'utf8')).toBe(`${hub.pid}\n`)
  expect(readProcessRecord(instance)).toEqual(status.agent)
  expect(status.agent).toMatchObject({
    node: process.execPath,
    version: expect.stringMatching(/^\d/) as string,
  })
  expect(await findProcess(instance)).toEqual({ state: 'running', agent: status.agent })
  expect(logOf(instance)).toMatch(/ info {2}\[ok\] Hub listening on http:\/\/127\.0\.0\.1:\d+\n$/)
  for (const file of [instance.logFile, instance.recordFile, instance.pidFile, instance.socketPath])
    expect(statSync(file).mode & 0o077).toBe(0)
  hub.kill('SIGTERM')
  expect(await hub.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(hub.output).toBe('')
  expect(readProcessRecord(instance)?.end).toMatchObject({ reason: 'stopped by SIGTERM', signal: 'SIGTERM' })
  expect([instance.pidFile, instance.socketPath].filter(existsSync)).toEqual([])
  expect(logOf(instance)).toMatch(/Stopping: SIGTERM\n.* Stopped\n$/)
})

test('a hub in the foreground has a record, too', async () => {
  const { home, instance } = homeWith()
  const hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0'])
  onTestFinished(() => hub.stop('SIGKILL'))
  await hub.printed(/listening on/)
  expect(await findProcess(instance)).toMatchObject({
    state: 'running',
    agent: { pid: hub.pid, mode: 'foreground' },
  })
  expect(existsSync(instance.pidFile)).toBe(false)
  await hub.stop('SIGINT')
  expect((await findProcess(instance)).state).toBe('none')
  expect(readProcessRecord(instance)?.end).toMatchObject({ reason: 'stopped by SIGINT' })
  expect(existsSync(instance.logFile)).toBe(false)
})

describe('a kept hub that can’t start says why in its log and its record,', () => {
  const FATAL = 78

  async function ended(settings: HubSettings, prepare: (instance: HubInstance) => void = () => {}) {
    const { home, instance } = homeWith(settings)
    prepare(instance)
    const { code } = await startKept(home).exited
    return { code, end: readProcessRecord(instance)?.end, log: logOf(instance), instance }
  }

  test('and is worth another start where its port is in use', async () => {
    const other = await echoServer()
    onTestFinished(() => other.close())
    const { code, end, log } = await ended({ listen: `127.0.0.1:${other.port}` })
    const why = `Port ${other.port} of 127.0.0.1 is in use, by .+ \\(PID: ${process.pid}\\)`
    expect({ code, end }).toMatchObject({
      code: 1,
      end: { reason: expect.stringMatching(why) as string, code: 1, fix: null },
    })
    expect(log).toMatch(
      new RegExp(` error \\[x\\] ${why}\n.* error   Give another one with --listen HOST:PORT`),
    )
    // It has tried for a second: what that leaves behind would be told.
    expect(log).not.toContain('Warning')
  })

  test('and is worth another start where its certificate can’t be read', async () => {
    const file = '/nowhere/cert.pem'
    const { code, end, log } = await ended({ tlsCert: file, tlsKey: file })
    const why = `Could not read the certificate ${file}: there is no such file`
    expect({ code, end }).toMatchObject({ code: 1, end: { reason: why } })
    expect(log).toContain(` error [x] ${why}\n`)
  })

  test('and is to be left down where its database is damaged', async () => {
    const damage = ({ mainFile }: HubInstance) => writeFileSync(mainFile, 'no database '.repeat(500))
    const { code, end, log } = await ended({}, damage)
    const fix = expect.stringContaining('Restore a backup') as string
    expect({ code, end }).toMatchObject({ code: FATAL, end: { code: FATAL, fix } })
    expect(log).toContain(` error [x] ${end!.reason}\n`)
  })

  test('and is to be left down where its settings are damaged, or are none that it may run with', async () => {
    const damaged = await ended({}, ({ configFile }) => writeFileSync(configFile, '{"version":1,"listen":7}'))
    expect(damaged.code).toBe(FATAL)
    expect(damaged.log).toMatch(/ error \[x\] .*hub\/config\.json/)
    for (const [settings, why] of [
      [{ url: 'http://hub.example.com' }, 'hub.example.com would be reached over plain http'],
      [{ listen: 'x' }, '"x" is not [HOST:]PORT'],
      [{ tlsKey: '/key.pem' }, '--tls-key is of no use without --tls-cert'],
    ] as const) {
      const { code, log } = await ended(settings)
      expect(code).toBe(FATAL)
      expect(log).toContain(` error [x] ${why}\n`)
    }
  })
})

test('a kept hub for other machines makes its own certificate, and tells of it on its socket', async () => {
  const { home, instance } = homeWith({ listen: '0.0.0.0:0', url: 'https://hub.example.com' })
  startKept(home)
  const { certificate, url } = await answering(instance)
  expect(url).toBe('https://hub.example.com')
  const authority = path.join(instance.folder, 'tls', 'authority.pem')
  expect(certificate).toMatchObject({ own: true, authority, warning: null })
  expect(certificate!.fingerprint).toBe(new X509Certificate(readFileSync(authority)).fingerprint256)
})

test('a port that is free a moment later is had', async () => {
  const other = await echoServer()
  const { home, instance } = homeWith({ listen: `127.0.0.1:${other.port}` })
  const hub = startKept(home)
  await expect.poll(() => existsSync(instance.recordFile), POLL).toBe(true)
  await other.close()
  expect((await answering(instance)).agent.pid).toBe(hub.pid)
})

test('a hub that was killed is followed by another, which knows how it ended', async () => {
  const { home, instance } = homeWith()
  const killed = startKept(home)
  await answering(instance)
  await killed.stop('SIGKILL')
  expect((await findProcess(instance)).state).toBe('stale')
  const next = startKept(home)
  await answering(instance, next.pid)
  expect(readProcessRecord(instance)?.previousEnd?.reason).toBe('it ended without a word: killed, or crashed')
})

test('of two hubs on the same data the second one waits until the first one has ended', async () => {
  const { home, instance } = homeWith()
  const first = startKept(home)
  await answering(instance)
  // Started once, by somebody who looks.
  const refused = startKept(home, 'background')
  const second = startKept(home)
  expect((await refused.exited).code).toBe(1)
  expect(logOf(instance)).toContain(` error [x] A hub is already running on ${instance.folder}\n`)
  await expect.poll(() => logOf(instance), POLL).toContain('Waiting for another hub on ')
  expect((await hubStatus(instance))?.agent.pid).toBe(first.pid)
  await first.stop()
  await answering(instance, second.pid)
})

test('what was deleted or replaced while a hub runs is there again', async () => {
  const { home, instance } = homeWith()
  const { pid } = startKept(home)
  const { agent } = await answering(instance)
  for (const file of [instance.recordFile, instance.pidFile, instance.socketPath, instance.logFile]) {
    rmSync(file)
    await expect.poll(() => existsSync(file), POLL).toBe(true)
  }
  expect(readProcessRecord(instance)).toEqual(agent)
  rmSync(instance.lockFile)
  writeFileSync(instance.lockFile, '')
  expect((await startKept(home, 'background').exited).code).toBe(1)
  await expect.poll(() => isLocked(instance.lockFile), POLL).toBe(true)
  expect((await answering(instance)).agent.pid).toBe(pid)
})

test('where all that shows a hub was deleted at once, and another has begun, one of them ends', async () => {
  const { home, instance } = homeWith()
  const first = startKept(home)
  await answering(instance)
  for (const file of [instance.lockFile, instance.socketPath, instance.recordFile]) rmSync(file)
  const second = startKept(home)
  const { code } = await Promise.race([first.exited, second.exited])
  expect(code).toBe(1)
  const { agent } = await answering(instance)
  expect([first.pid, second.pid]).toContain(agent.pid)
  await expect.poll(() => readFileSync(instance.pidFile, 'utf8'), POLL).toBe(`${agent.pid}\n`)
})

test('a data folder that was copied while its hub ran has none, and one may run on it', async () => {
  const { home, instance } = homeWith()
  const original = startKept(home)
  await answering(instance)
  const folder = path.join(home.folder, 'copy')
  cpSync(instance.folder, folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  const copy = hubInstance({ dataDir: folder }, home.folder)
  expect((await findProcess(copy)).state).toBe('stale')
  const other = startConnect(home, ['hub', '--listen', '127.0.0.1:0', '--data-dir', folder])
  onTestFinished(() => other.stop('SIGKILL'))
  await other.printed(/listening on/)
  expect((await hubStatus(copy))?.agent.pid).toBe(other.pid)
  expect((await answering(instance)).agent.pid).toBe(original.pid)
})

test('a log that can’t be written costs its lines, and not the hub', async () => {
  const { home, instance } = homeWith({ plainHttp: true })
  const hub = startKept(home)
  await answering(instance)
  rmSync(instance.logFile)
  mkdirSync(instance.logFile)
  await fetch(`http://${(await answering(instance)).listen}/healthz`)
  hub.kill('SIGTERM')
  expect(await hub.exited).toEqual({ code: null, signal: 'SIGTERM' })
})
