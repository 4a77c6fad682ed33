import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { shutOut } from '../../../src/cli/hub/shut-out.ts'
import { issueAuthority } from '../../../src/hub/tls/issue.ts'
import { pemPair } from '../../../src/hub/tls/pem-pair.ts'
import { readLastBackup } from '../../../src/hub/backup/last-backup.ts'
import { makeBackup } from '../../../src/hub/backup/make-backup.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { HubData } from '../../fixtures/hub/hub-data.ts'
import { hubInProcess, member } from '../../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

const asRoot = process.getuid?.() === 0

test('a backup is one file for us alone, with all that the hub has', async () => {
  const data = await HubData.start()
  const [ada, eve] = [await data.join('ada', 'web'), await data.join('eve')]
  await data.change((store) => store.revokeAgent(eve))
  const folder = scratchFolder()
  const file = path.join(folder, 'backup.db')
  const { bytes, ...backup } = await makeBackup(data.folder, file)
  expect(backup).toEqual({ hubId: await data.id(), machines: 1, names: 1, tokens: 1, hasKey: false })
  expect(readdirSync(folder)).toEqual(['backup.db'])
  const found = statSync(file)
  expect([found.size, found.mode & 0o777, found.nlink]).toEqual([bytes, 0o600, 1])
  const copy = new DatabaseSync(file, { readOnly: true })
  expect(copy.prepare('SELECT id, revoked_at IS NULL AS good FROM agents ORDER BY label').all()).toEqual([
    { id: ada, good: 1 },
    { id: eve, good: 0 },
  ])
  copy.close()
})

test('the authority of the hub’s own is in it', async () => {
  const data = await HubData.start()
  const authority = pemPair(await issueAuthority(Date.now()))
  data.writeAuthority(authority)
  const file = path.join(scratchFolder(), 'backup.db')
  expect(await makeBackup(data.folder, file)).toMatchObject({ hasKey: true })
  const copy = new DatabaseSync(file, { readOnly: true })
  expect(copy.prepare('SELECT authority FROM backup').get()).toEqual({ authority })
  copy.close()
})

test('all that a hub under load has answered as saved before is in it', async () => {
  const hub = await hubInProcess()
  const folder = scratchFolder()
  const [joined, revoked, tokens]: [string[], string[], string[]] = [[], [], []]
  const over = new AbortController()
  const load = async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      const { agentId } = await member(hub, `machine ${n}`)
      joined.push(agentId)
      if (n % 2 === 1) {
        await shutOut(hub.folder, 'revoke agent', agentId)
        revoked.push(agentId)
      }
      tokens.push((await createToken(hub.folder, { ttlMs: 60_000, uses: 1 })).id)
    }
  }
  const loads = [load(), load(), load()]
  for (let n = 0; n < 8; n++) {
    await expect.poll(() => joined.length, { interval: 1, timeout: 30_000 }).toBeGreaterThan(2 * n)
    const answered = { joined: [...joined], revoked: [...revoked], tokens: [...tokens] }
    const file = path.join(folder, `${n}.db`)
    await makeBackup(hub.folder, file, await hub.hub.saved())
    const copy = new DatabaseSync(file, { readOnly: true })
    const ids = (rows: string) =>
      new Set(
        copy
          .prepare(`SELECT id FROM ${rows}`)
          .all()
          .map(({ id }) => String(id)),
      )
    expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(answered.joined.filter((id) => !ids('agents').has(id))).toEqual([])
    expect(answered.revoked.filter((id) => !ids('agents WHERE revoked_at IS NOT NULL').has(id))).toEqual([])
    expect(answered.tokens.filter((id) => !ids('join_tokens').has(id))).toEqual([])
    copy.close()
  }
  over.abort()
  await Promise.all(loads)
  expect(joined.length).toBeGreaterThan(8)
})

test('a database that is not the one that the hub saves to is not taken for it', async () => {
  const data = await HubData.start()
  const file = path.join(scratchFolder(), 'backup.db')
  const store = await Store.open(data.folder)
  const { id, generation } = store.mark
  store.close()
  for (const saved of [
    { id, generation: generation + 1 },
    { id: 'hub_0000000000000000', generation },
  ])
    expect(await rejectionOf(makeBackup(data.folder, file, saved))).toMatchObject({ code: 'WRITE_FAILED' })
  expect(existsSync(file)).toBe(false)
})

test('a backup is never written over anything, nor through a link', async () => {
  const data = await HubData.start()
  const folder = scratchFolder()
  const at = (name: string) => path.join(folder, name)
  writeFileSync(at('file'), 'mine')
  mkdirSync(at('folder'))
  symlinkSync(at('file'), at('link'))
  symlinkSync(at('target'), at('dangling'))
  for (const name of ['file', 'folder', 'link', 'dangling'])
    expect(await rejectionOf(makeBackup(data.folder, at(name)))).toMatchObject({
      code: 'FILE_EXISTS',
      message: `There is something at ${at(name)} already`,
    })
  expect(readFileSync(at('file'), 'utf8')).toBe('mine')
  expect(readdirSync(folder).toSorted()).toEqual(['dangling', 'file', 'folder', 'link'])
})

test('of two at once that make the same file one makes it, and the other says that it is there', async () => {
  const data = await HubData.start()
  const file = path.join(scratchFolder(), 'backup.db')
  const made = await Promise.allSettled([1, 2].map(() => makeBackup(data.folder, file)))
  expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('a folder that is not there is said so', async () => {
  const data = await HubData.start()
  const file = path.join(scratchFolder(), 'none', 'backup.db')
  expect(await rejectionOf(makeBackup(data.folder, file))).toMatchObject({
    code: 'WRITE_FAILED',
    message: `Could not write ${file}: its folder does not exist`,
    hints: ['Make that folder, or give another path.'],
  })
})

test('a backup is not laid beside the data that it is of', async () => {
  const data = await HubData.start()
  expect(await rejectionOf(makeBackup(data.folder, path.join(data.folder, 'hub.db-wal')))).toMatchObject({
    code: 'BAD_VALUE',
  })
})

test('where there is no hub’s data there is none made', async () => {
  const [folder, target] = [scratchFolder(), scratchFolder()]
  expect((await rejectionOf(makeBackup(folder, path.join(target, 'backup.db')))).code).toBe(
    'HUB_DATA_MISSING',
  )
  expect([readdirSync(folder), readdirSync(target)]).toEqual([[], []])
})

test.skipIf(!asRoot)('a folder of another user’s is not written to', async () => {
  const data = await HubData.start()
  const folder = scratchFolder()
  chownSync(folder, 65_534, 65_534)
  expect((await rejectionOf(makeBackup(data.folder, path.join(folder, 'backup.db')))).code).toBe(
    'FILE_UNTRUSTED',
  )
  expect(readdirSync(folder)).toEqual([])
})

test('what a killed one has left is cleared away by a later one, whatever that is called', async () => {
  const data = await HubData.start()
  const folder = scratchFolder()
  const left = path.join(folder, '.private-connect.4194305.00000000.tmp')
  mkdirSync(left)
  writeFileSync(path.join(left, 'new'), 'half')
  await makeBackup(data.folder, path.join(folder, 'one.db'))
  expect(lstatSync(left).isDirectory()).toBe(true)
  utimesSync(left, 0, 0)
  await makeBackup(data.folder, path.join(folder, 'two.db'))
  expect(readdirSync(folder)).toEqual(['one.db', 'two.db'])
})

test('when the last one was made, where, and of what is noted beside the data', async () => {
  const data = await HubData.start()
  const folder = scratchFolder()
  const notes = []
  for (const name of ['one.db', 'two.db']) {
    await makeBackup(data.folder, path.join(folder, name))
    notes.push(readLastBackup(data.folder)!)
    await data.join(name)
  }
  const [one, two] = notes
  expect(two).toMatchObject({ file: path.join(folder, 'two.db'), id: await data.id() })
  expect(two!.generation).toBeGreaterThan(one!.generation)
  expect(Date.now() - Date.parse(two!.madeAt)).toBeLessThan(60_000)
  expect(statSync(data.file('hub.backup.json')).mode & 0o777).toBe(0o600)
})

test('a backup is made also where that can’t be noted, and says so', async () => {
  const data = await HubData.start()
  mkdirSync(data.file('hub.backup.json'))
  const file = path.join(scratchFolder(), 'backup.db')
  expect((await makeBackup(data.folder, file)).unnoted).toMatch(/^Could not write .*hub\.backup\.json/)
  expect(existsSync(file)).toBe(true)
})
