import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { writeHubSettings } from '../../../src/config/hub/hub-settings.ts'
import {
  endProcessRecord,
  writeProcessRecord,
  type ProcessRecord,
} from '../../../src/control/process-record.ts'
import { hubBackup } from '../../../src/doctor/checks/hub-here/hub-backup.ts'
import { hubCertificate } from '../../../src/doctor/checks/hub-here/hub-certificate.ts'
import { hubDatabase } from '../../../src/doctor/checks/hub-here/hub-database.ts'
import { hubPort } from '../../../src/doctor/checks/hub-here/hub-port.ts'
import { hubProcess } from '../../../src/doctor/checks/hub-here/hub-process.ts'
import { hubSaved } from '../../../src/doctor/checks/hub-here/hub-saved.ts'
import { lookIntoHub } from '../../../src/doctor/hub-inspection.ts'
import { makeBackup } from '../../../src/hub/backup/make-backup.ts'
import type { HubStatus } from '../../../src/hub/control/schema.ts'
import { askHub } from '../../../src/tasks/hub/ask-hub.ts'
import { hubReport, UNKNOWN_HUB, type HubReport } from '../../../src/tasks/machine/hub-here.ts'
import { startStep } from '../../../src/tasks/machine/start-step.ts'
import { damagedData } from '../../fixtures/hub/damaged-data.ts'
import { HubData } from '../../fixtures/hub/hub-data.ts'
import { hubInProcess, linked, member } from '../../fixtures/hub/hub-in-process.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { makeHome, type Home } from '../../helpers/home.ts'
import { serveUnix } from '../../helpers/servers.ts'
import { byState, runAll } from '../helpers/way-checks.ts'

const CHECKS = [hubProcess, hubPort, hubCertificate, hubSaved, hubDatabase, hubBackup]

function look(report: Promise<HubReport>, config?: Pick<Config, 'hubId'>) {
  const plugins = async () => ({ platforms: [], problems: [] })
  return runAll<Parameters<typeof hubProcess.run>[0]>(CHECKS, {
    hubReport: () => report,
    hubData: () => lookIntoHub(report),
    startStep: (hub) => startStep(hub, plugins),
    config: async () => config as Config | undefined,
  })
}

/** What is told of a hub that runs, as it says itself. */
async function running(folder: string, change: Partial<HubStatus> = {}): Promise<HubReport> {
  const instance = hubInstance({ dataDir: folder })
  const said = await askHub(instance)
  const hub = { ...UNKNOWN_HUB, state: 'running', pid: process.pid } as const
  const told = said.status ? { ...said, status: { ...said.status, ...change } } : said
  return { hub, instance, said: told, isDataAbsent: false }
}

/** The user's home folder, for as long as the test runs. */
function ownHome(): Home {
  const home = makeHome()
  mkdirSync(home.folder)
  vi.stubEnv('HOME', home.folder)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    home.remove()
  })
  return home
}

/** A hub that does not run, on this data. */
async function stopped(folder: string): Promise<HubReport> {
  const home = ownHome()
  writeHubSettings({ dataDir: folder }, home.folder)
  return hubReport()
}

/** Each file of a folder, and what is in it. */
function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => statSync(path.join(folder, name)).isFile())
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), 'base64')]))
}

test('where no hub is kept, all is skipped', async () => {
  ownHome()
  const found = await look(hubReport())
  expect(byState(found)).toEqual({ skipped: CHECKS.map(({ name }) => name) })
  expect(found['hub-process']!.seen).toBe('No hub is kept on this machine')
})

test('a hub that is well is ok throughout', async () => {
  const authority = new TestAuthority(path.join(scratchFolder(), 'ca'))
  const hub = await hubInProcess(undefined, { tls: authority.issue() })
  const fresh = await look(running(hub.folder))
  expect(fresh['hub-backup']).toEqual({
    state: 'skipped',
    seen: 'Nothing to lose yet: no machine has joined',
  })
  await makeBackup(hub.folder, path.join(scratchFolder(), 'backup.db'), await hub.hub.saved())
  const found = await look(running(hub.folder, { outside: true }))
  expect(byState(found)).toEqual({ ok: CHECKS.map(({ name }) => name) })
  expect(found['hub-process']!.seen).toMatch(/^It runs \(PID: \d+\): 0 machines joined, 0 connected$/)
  expect(found['hub-certificate']!.seen).toMatch(/for (29|30) more days$/)
})

test('a hub that was kept and does not run fails, and its data is looked at all the same', async () => {
  const { folder, instance } = await HubData.start()
  writeProcessRecord(instance, { ...identityFor(instance), pid: 1, startTime: 'gone' })
  const found = await look(stopped(folder))
  expect(byState(found)).toEqual({
    failed: ['hub-process'],
    skipped: ['hub-port', 'hub-certificate', 'hub-saved'],
    ok: ['hub-database'],
    warning: ['hub-backup'],
  })
  expect(found['hub-process']).toMatchObject({
    seen: 'It does not run',
    fix: 'Run: connect hub start (it does not come back after a reboot)',
  })
})

test('one that was stopped need not run, unless this machine needs it; one that crashed, or a reboot ended, should', async () => {
  const { folder, instance } = await HubData.start()
  const found = async (record: Partial<ProcessRecord>, hubId?: string) => {
    writeProcessRecord(instance, { ...identityFor(instance), pid: 1, startTime: 'gone', ...record })
    const told = { reason: 'stopped by SIGTERM', code: null, signal: 'SIGTERM', fix: null }
    endProcessRecord(instance, record.end ?? { at: new Date().toISOString(), ...told })
    return (await look(stopped(folder), hubId === undefined ? undefined : { hubId }))['hub-process']
  }
  const own = (await lookIntoHub(stopped(folder)))!.mark!.id
  for (const hubId of [undefined, 'hub_0123456789abcdef'])
    expect(await found({}, hubId)).toEqual({
      state: 'warning',
      seen: 'It does not run: stopped by SIGTERM',
      fix: 'If it should, run: connect hub start (it does not come back after a reboot)',
    })
  expect(await found({}, own)).toEqual({
    state: 'failed',
    seen: 'It does not run, and this machine is logged in to it',
    fix: 'Run: connect hub start (it does not come back after a reboot)',
  })
  const crash = {
    at: null,
    reason: 'it ended without a word: killed, or crashed',
    code: null,
    signal: null,
    fix: null,
  }
  expect(await found({ end: crash })).toMatchObject({
    state: 'failed',
    seen: `It does not run: ${crash.reason}`,
  })
  const killed = { ...crash, at: new Date().toISOString(), reason: 'ended by SIGKILL', signal: 'SIGKILL' }
  expect(await found({ end: killed })).toMatchObject({ state: 'failed' })
  expect(await found({ bootAndNamespace: 'another boot' })).toMatchObject({ state: 'failed' })
})

test('one that ran in a terminal need not run', async () => {
  const { folder } = await HubData.start()
  expect((await look(stopped(folder)))['hub-process']).toMatchObject({
    state: 'warning',
    fix: 'If it should, run: connect hub start (it does not come back after a reboot)',
  })
})

test('a hub whose disk is not mounted is not to be started, nor its database to be looked for', async () => {
  const away = path.join(scratchFolder(), 'not-mounted')
  const report = await stopped(away)
  for (const hub of [report.hub, { ...report.hub, state: 'running', pid: process.pid } as const]) {
    const found = await look(Promise.resolve({ ...report, hub }))
    expect(byState(found).failed).toEqual(['hub-process'])
    expect(found['hub-process']).toMatchObject({
      seen: `The hub’s data is not in ${away}, where it was`,
      fix: 'If that is on a disk that is not mounted, mount it. Nothing was made in its place.',
    })
    expect(found['hub-database']!.seen).toBe('Not looked at, since the hub’s data is not where it was')
  }
})

test('a hub that hangs fails in time', async () => {
  const { folder } = await HubData.start()
  const hung = await serveUnix(hubInstance({ dataDir: folder }).socketPath, () => {})
  onTestFinished(() => hung.close())
  const found = await look(running(folder))
  expect(found['hub-process']).toMatchObject({
    state: 'failed',
    seen: `It runs (PID: ${process.pid}), but the hub does not answer on its socket`,
    fix: 'Run: connect hub restart',
  })
  expect(byState(found).skipped).toEqual(['hub-port', 'hub-certificate', 'hub-saved'])
})

test('settings that can’t be read fail once', async () => {
  const home = ownHome()
  writeHubSettings({}, home.folder)
  writeFileSync(home.file('hub/config.json'), '{"version":1,"listen":7}')
  const found = await look(hubReport())
  expect(byState(found).failed).toEqual(['hub-process'])
  expect(byState(found).skipped).toHaveLength(CHECKS.length - 1)
})

test('a port is not said to be open from outside by a link from this very machine', async () => {
  const hub = await hubInProcess()
  await linked(await member(hub))
  const report = await running(hub.folder)
  expect(report.said!.status!.outside).toBe(false)
  expect((await look(Promise.resolve(report)))['hub-port']).toMatchObject({
    state: 'skipped',
    seen: expect.stringMatching(/^It listens at 127\.0\.0\.1:\d+, for this machine/) as string,
  })
  const found = await look(running(hub.folder, { listen: '0.0.0.0:7700', url: 'https://192.0.2.1:7700' }))
  expect(found['hub-port']).toMatchObject({
    state: 'unknown',
    fix: 'On another machine run: curl -k https://192.0.2.1:7700/healthz',
  })
})

test('a certificate that ends soon is a warning, and one that has ended fails', async () => {
  const hub = await hubInProcess()
  const certificate = (days: number, own: boolean) => ({
    notAfter: new Date(Date.now() + days * 86_400_000).toISOString(),
    own,
    fingerprint: '',
    authority: null,
    warning: 'The certificate ends',
  })
  const found = async (days: number, own: boolean) =>
    (await look(running(hub.folder, { certificate: certificate(days, own) })))['hub-certificate']
  expect(await found(5, false)).toMatchObject({
    state: 'warning',
    fix: expect.stringMatching(/renewed/) as string,
  })
  expect(await found(-1, true)).toMatchObject({
    state: 'failed',
    fix: expect.stringMatching(/hub logs/) as string,
  })
})

test('what the hub can’t save fails, and why', async () => {
  const hub = await hubInProcess()
  const unsaved = { changes: 2, reason: 'its disk is full' }
  const found = await look(running(hub.folder, { unsaved }))
  expect(found['hub-saved']).toMatchObject({
    state: 'failed',
    seen: 'It can’t save, 2 changes would be lost: its disk is full',
  })
})

test('a database that is damaged fails, and nothing is done to it', async () => {
  const data = await HubData.start()
  const folder = await damagedData(data)
  const before = contentsOf(folder)
  const found = await look(stopped(folder))
  expect(found['hub-database']).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(/hub\.db is damaged: /) as string,
    fix: 'Run: connect hub stop, then: connect hub restore FILE',
  })
  expect(found['hub-backup']).toMatchObject({ state: 'skipped' })
  const after = contentsOf(folder)
  expect({ ...after, 'hub.db-shm': before['hub.db-shm'] }).toEqual({
    ...before,
    'hub.db-shm': before['hub.db-shm'],
  })
})

test.for([
  [
    'another program’s database',
    (file: string) => copyFileSync(import.meta.filename, file),
    /not a database/,
  ],
  ['a folder', (file: string) => symlinkSync(path.dirname(file), file), /it is not a file/],
] as const)('%s in its place fails', async ([, put, seen]) => {
  const folder = scratchFolder()
  put(path.join(folder, 'hub.db'))
  const found = await look(stopped(folder))
  expect(found['hub-database']).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(seen) as string,
  })
})

test('to look into a database leaves no file beside it, whether a hub has it open or not', async () => {
  const { folder } = await HubData.start()
  const before = contentsOf(folder)
  expect((await look(stopped(folder)))['hub-database']!.state).toBe('ok')
  expect(contentsOf(folder)).toEqual(before)
  expect(existsSync(path.join(folder, 'hub.db-wal'))).toBe(false)

  const hub = await hubInProcess()
  await member(hub)
  const files = readdirSync(hub.folder).toSorted()
  expect((await look(running(hub.folder)))['hub-database']!.state).toBe('ok')
  expect(readdirSync(hub.folder).toSorted()).toEqual(files)
  // And the hub goes on.
  await member(hub)
})

test('a backup is old once a week has passed, unless nothing has changed since', async () => {
  const data = await HubData.start()
  const found = async () => (await look(stopped(data.folder)))['hub-backup']
  expect(await found()).toMatchObject({
    state: 'warning',
    seen: 'No backup of it was made from here',
    fix: expect.stringMatching(/connect hub backup/) as string,
  })
  const file = path.join(scratchFolder(), 'backup.db')
  await makeBackup(data.folder, file)
  expect(await found()).toMatchObject({
    state: 'ok',
    seen: expect.stringMatching(/nothing has changed since$/) as string,
  })
  await data.join('ada')
  expect(await found()).toMatchObject({
    state: 'ok',
    seen: expect.stringMatching(/^Made on [\d-]+, to \S+backup\.db$/) as string,
  })
  vi.useFakeTimers({ now: Date.now() + 8 * 86_400_000, toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  expect(await found()).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/, 8 days ago, to \S+backup\.db; the hub has changed since$/) as string,
  })
})

test('a note of a backup that is another hub’s, or damaged, counts as none', async () => {
  const [data, other] = [await HubData.start(), await HubData.start()]
  await makeBackup(other.folder, path.join(scratchFolder(), 'backup.db'))
  const found = async () => (await look(stopped(data.folder)))['hub-backup']!.seen
  copyFileSync(other.file('hub.backup.json'), data.file('hub.backup.json'))
  expect(await found()).toBe('No backup of it was made from here')
  writeFileSync(data.file('hub.backup.json'), '{"madeAt"')
  expect(await found()).toBe('No backup of it was made from here')
})
