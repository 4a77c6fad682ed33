import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import { config } from '../../../src/doctor/checks/files/config.ts'
import { diskSpace } from '../../../src/doctor/checks/files/disk-space.ts'
import { leftovers } from '../../../src/doctor/checks/files/leftovers.ts'
import { lists } from '../../../src/doctor/checks/files/lists.ts'
import { modes } from '../../../src/doctor/checks/files/modes.ts'
import { owners } from '../../../src/doctor/checks/files/owners.ts'
import type { Patient } from '../../../src/doctor/context.ts'
import { tryLock } from '../../../src/files/lock.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { logIn, mend, patient, run } from '../helpers/patient.ts'

async function loggedIn(): Promise<Patient> {
  const who = patient()
  await logIn(who.instance)
  return who
}

const isRoot = process.getuid?.() === 0
const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

test('the config: there, missing, damaged, and open to others', async () => {
  const who = await loggedIn()
  const { configFile } = who.instance
  expect(await run(config, who)).toMatchObject({
    state: 'ok',
    seen: 'Logged in to https://hub.example.com as ada',
  })
  chmodSync(configFile, 0o644)
  // Which the check of modes tells, and mends.
  expect(await run(config, who)).toMatchObject({
    state: 'skipped',
    seen: 'Not looked at, since an owner or a mode is wrong',
  })
  expect(await run(modes, who)).toMatchObject({ state: 'failed', fix: expect.stringContaining('chmod 600') })
  chmodSync(configFile, 0o600)
  writeFileSync(configFile, '{"version": 1')
  expect(await run(config, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringContaining('is not valid JSON'),
    fix: 'Fix the file, or move it away and run: connect login',
  })
  expect(await run(config, patient())).toMatchObject({
    state: 'warning',
    fix: 'With an invite to a hub, run: connect login',
  })
})

test('a config that is a link to a file that others can read is told by the check of the config', async () => {
  const who = await loggedIn()
  const { configFile } = who.instance
  const elsewhere = path.join(scratchFolder(), 'elsewhere.json')
  renameSync(configFile, elsewhere)
  symlinkSync(elsewhere, configFile)
  chmodSync(elsewhere, 0o644)
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  expect(await run(config, who)).toMatchObject({ state: 'failed', fix: expect.stringContaining('chmod 600') })
})

test('a list that others can change is told by its mode, once; one that is damaged by the lists', async () => {
  const who = await loggedIn()
  const { servicesFile, folder } = who.instance
  writeFileSync(servicesFile, '[]', { mode: 0o600 })
  chmodSync(servicesFile, 0o666)
  expect(await run(lists, who)).toMatchObject({ state: 'skipped' })
  expect(await run(modes, who)).toMatchObject({ state: 'failed' })
  chmodSync(servicesFile, 0o600)
  chmodSync(folder, 0o755)
  expect(await run(lists, who)).toMatchObject({ state: 'failed', seen: expect.stringContaining('damaged') })
})

test('the lists of what is exposed and kept: there, and damaged', async () => {
  const who = await loggedIn()
  expect(await run(lists, who)).toMatchObject({
    state: 'ok',
    seen: '0 services and 0 kept reaches are listed',
  })
  writeFileSync(who.instance.reachesFile, '[]', { mode: 0o600 })
  expect(await run(lists, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringContaining('reaches.json is damaged'),
    fix: expect.stringContaining('connect reach NAME --keep'),
  })
})

test('modes of our files: right, and wrong in each way; --fix sets them right', async () => {
  const who = await loggedIn()
  const { folder, configFile, servicesFile } = who.instance
  writeFileSync(servicesFile, '{}', { mode: 0o600 })
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  // Whoever has edited it may have left it so: the folder is closed.
  chmodSync(servicesFile, 0o644)
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  chmodSync(servicesFile, 0o666)
  expect(await run(modes, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(/services\.json can be changed by other users \(mode 666\)$/),
    fix: expect.stringMatching(/^Run: chmod 600 .*services\.json/),
  })
  chmodSync(folder, 0o755)
  chmodSync(configFile, 0o640)
  expect((await run(modes, who)).seen).toMatch(
    /can be read by other users \(mode 755\); 2 more are wrong, too$/,
  )
  expect(await mend(modes, who)).toMatchObject({ done: '3 modes were set', after: { state: 'ok' } })
  expect([folder, configFile, servicesFile].map(mode)).toEqual(['700', '600', '600'])
})

test('a folder that is closed to its own user is opened again', async () => {
  const who = await loggedIn()
  chmodSync(who.instance.folder, 0)
  expect(await run(modes, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringContaining('is closed to its own user (mode 000)'),
  })
  expect(await mend(modes, who)).toMatchObject({ after: { state: 'ok' } })
  expect(mode(who.instance.folder)).toBe('700')
})

test('a link is followed by no mend', async () => {
  const who = await loggedIn()
  const elsewhere = path.join(scratchFolder(), 'elsewhere')
  writeFileSync(elsewhere, '', { mode: 0o644 })
  symlinkSync(elsewhere, path.join(who.instance.folder, 'services.json'))
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  expect(mode(elsewhere)).toBe('644')
})

test('of a folder that others use, too, only what is named for the instance is looked at', async () => {
  const folder = scratchFolder()
  chmodSync(folder, 0o755)
  const other = path.join(folder, 'other.json')
  writeFileSync(other, '')
  chmodSync(other, 0o666)
  const who = { ...patient(), instance: instanceFor(path.join(folder, 'staging.json')) }
  await logIn(who.instance)
  chmodSync(folder, 0o755)
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  chmodSync(path.join(folder, 'staging.json'), 0o644)
  expect(await mend(modes, who)).toMatchObject({ done: '1 mode was set', after: { state: 'ok' } })
  expect(mode(other)).toBe('666')
})

test.runIf(isRoot)('owners of our files: another user’s, as after sudo', async () => {
  const who = await loggedIn()
  const { logFile, folder } = who.instance
  expect(await run(owners, who)).toMatchObject({ state: 'ok', seen: 'All are this user’s' })
  writeFileSync(logFile, '', { mode: 0o600 })
  chownSync(logFile, 65_534, 65_534)
  expect(await run(owners, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(/daemon\.log belongs to another user \(number 65534\)$/),
    fix: expect.stringMatching(/^Run: sudo chown -h 0 .*daemon\.log/),
  })
  expect(await mend(owners, who)).toMatchObject({ done: '1 file is root’s again', after: { state: 'ok' } })
  // What lies in a folder of theirs they have put there themselves.
  chownSync(logFile, 65_534, 65_534)
  chownSync(folder, 65_534, 65_534)
  chownSync(who.home, 65_534, 65_534)
  const found = await run(owners, who)
  expect(found).toMatchObject({ state: 'failed', fix: expect.stringContaining('without sudo') })
  expect(found.mend).toBeUndefined()
})

test.runIf(isRoot)('what others could have laid beside root’s files does not become root’s', async () => {
  const shared = scratchFolder()
  const who = { ...patient(), instance: instanceFor(path.join(shared, 'staging.json')) }
  await logIn(who.instance)
  chmodSync(shared, 0o1777)
  writeFileSync(who.instance.servicesFile, '{}', { mode: 0o600 })
  chownSync(who.instance.servicesFile, 65_534, 65_534)
  const found = await run(owners, who)
  expect(found).toMatchObject({ state: 'failed', fix: expect.stringContaining('without sudo') })
  expect(found.mend).toBeUndefined()
})

test.runIf(isRoot)(
  'of what is another’s only that becomes root’s which root alone could lay there',
  async () => {
    const who = await loggedIn()
    const { folder, logFile } = who.instance
    const open = path.join(folder, 'open')
    mkdirSync(open)
    const planted = path.join(open, 'planted')
    for (const file of [logFile, planted]) writeFileSync(file, '', { mode: 0o600 })
    for (const file of [logFile, planted]) chownSync(file, 65_534, 65_534)
    chmodSync(open, 0o777)
    expect(await mend(owners, who)).toMatchObject({ done: '1 file is root’s again' })
    expect([logFile, planted].map((file) => statSync(file).uid)).toEqual([0, 65_534])
  },
)

test.runIf(isRoot)(
  'what others have put into root’s open folder is not closed in, to be root’s then',
  async () => {
    const who = await loggedIn()
    const { folder, servicesFile, configFile } = who.instance
    writeFileSync(servicesFile, '{}', { mode: 0o600 })
    chownSync(servicesFile, 65_534, 65_534)
    chmodSync(folder, 0o777)
    chmodSync(configFile, 0o644)
    for (const check of [modes, owners]) {
      const found = await run(check, who)
      expect(found.state).toBe('failed')
      expect(found.mend).toBeUndefined()
    }
    expect(await run(modes, who)).toMatchObject({
      seen: expect.stringMatching(/can be changed by other users \(mode 777\); 1 more are wrong, too$/),
      fix: `Others have put files there. Look at them, move them away, and close it: chmod 700 ${folder}`,
    })
    rmSync(servicesFile)
    expect(await mend(modes, who)).toMatchObject({ done: '2 modes were set', after: { state: 'ok' } })
  },
)

test.runIf(isRoot)('a folder of another user in ours is named, and not looked into', async () => {
  const who = await loggedIn()
  const theirs = path.join(who.instance.folder, 'theirs')
  mkdirSync(theirs, { mode: 0o777 })
  writeFileSync(path.join(theirs, 'root.key'), '')
  chmodSync(path.join(theirs, 'root.key'), 0o644)
  chownSync(theirs, 65_534, 65_534)
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  expect(await run(owners, who)).toMatchObject({
    seen: expect.stringMatching(/theirs belongs to another user/),
  })
})

test('what has another name, too, is told and left alone', async () => {
  const who = await loggedIn()
  const victim = path.join(path.dirname(who.instance.folder), 'victim')
  writeFileSync(victim, '')
  chmodSync(victim, 0o644)
  const planted = path.join(who.instance.folder, 'x.key')
  linkSync(victim, planted)
  const found = await run(modes, who)
  expect(found).toMatchObject({
    state: 'failed',
    fix: `It has another name, too, and may be that file: find / -xdev -samefile ${planted}`,
  })
  expect(found.mend).toBeUndefined()
  if (!isRoot) return
  chownSync(victim, 65_534, 65_534)
  expect((await run(owners, who)).mend).toBeUndefined()
})

test('a folder that a link leads to, as to another disk, is looked into', async () => {
  const who = await loggedIn()
  const { folder, configFile } = who.instance
  const elsewhere = path.join(scratchFolder(), 'disk')
  renameSync(folder, elsewhere)
  symlinkSync(elsewhere, folder)
  expect(await run(modes, who)).toMatchObject({ state: 'ok' })
  chmodSync(elsewhere, 0o755)
  chmodSync(configFile, 0o644)
  expect(await mend(modes, who)).toMatchObject({ done: '2 modes were set', after: { state: 'ok' } })
  expect([elsewhere, configFile].map(mode)).toEqual(['700', '600'])
  if (!isRoot) return
  lchownSync(folder, 65_534, 65_534)
  expect(await run(modes, who)).toMatchObject({
    state: 'failed',
    seen: expect.stringContaining('belongs to another user (number 65534)'),
  })
})

test.runIf(isRoot)('a plain user is told the command, and nothing is tried', async () => {
  const who = await loggedIn()
  const { folder } = who.instance
  writeFileSync(who.instance.logFile, '', { mode: 0o600 })
  for (const file of ['.', 'config.json']) chownSync(path.join(folder, file), 65_534, 65_534)
  for (const above of [path.dirname(who.home), who.home]) chmodSync(above, 0o755)
  const found = await asNobody(() => owners.run({ ...who } as never, AbortSignal.timeout(1)))
  expect(found).toMatchObject({
    state: 'failed',
    fix: expect.stringMatching(/^Run: sudo chown -h 65534 .*daemon\.log/),
  })
  expect(found.mend).toBeUndefined()
})

/** A process that is gone. */
function goneProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

test('what a killed agent leaves is told, and removed', async () => {
  const who = await loggedIn()
  const { instance } = who
  expect(await run(leftovers, who)).toMatchObject({ state: 'ok', seen: 'Nothing' })
  writeProcessRecord(instance, identityFor(instance, { pid: goneProcess(), startTime: 'once' }))
  expect(await run(leftovers, who)).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/daemon\.pid names the agent, which is gone$/),
    fix: 'Have it removed: connect doctor --fix',
  })
  expect(existsSync(instance.pidFile)).toBe(true)
  expect(await mend(leftovers, who)).toMatchObject({
    done: expect.stringMatching(/^removed \S+daemon\.pid$/),
    after: { state: 'ok' },
  })
  expect(existsSync(instance.pidFile)).toBe(false)
})

test('a socket that nobody listens on is removed, and one of an agent that runs is not', async () => {
  const who = await loggedIn()
  const { instance } = who
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`,
    instance.socketPath,
  ])
  expect(await run(leftovers, who)).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/^nobody listens on .*agent\.sock$/),
  })
  expect(await mend(leftovers, who)).toMatchObject({ after: { state: 'ok' } })
  const server = createServer().listen(instance.socketPath)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const lock = await tryLock(instance.lockFile)
  onTestFinished(() => lock?.release())
  writeProcessRecord(instance, identityFor(instance))
  expect(await run(leftovers, who)).toMatchObject({ state: 'ok' })
})

test('what a killed writer leaves is removed once it is old, and never while it writes', async () => {
  const who = await loggedIn()
  const { configFile } = who.instance
  const old = `${configFile}.${goneProcess()}.0123abcd.tmp`
  const fresh = `${configFile}.${goneProcess()}.4567abcd.tmp`
  const written = `${configFile}.${process.pid}.89ababcd.tmp`
  const longAgo = new Date(Date.now() - 3_600_000)
  for (const file of [old, fresh, written]) writeFileSync(file, '', { mode: 0o600 })
  for (const file of [old, written]) utimesSync(file, longAgo, longAgo)
  expect(await run(leftovers, who)).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/0123abcd\.tmp was never finished$/),
  })
  expect(await mend(leftovers, who)).toMatchObject({ after: { state: 'ok' } })
  expect([old, fresh, written].map((file) => existsSync(file))).toEqual([false, true, true])
})

test('disk space: enough, and where the folder is not there yet', async () => {
  expect(await run(diskSpace, await loggedIn())).toMatchObject({
    state: 'ok',
    seen: expect.stringMatching(/^\d+ MB are free where .*\.privateconnect lies$/),
  })
  const who = patient()
  mkdirSync(who.home, { recursive: true })
  expect(await run(diskSpace, who)).toMatchObject({ state: 'ok' })
})
