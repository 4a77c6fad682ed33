import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { makeBackup } from '../../../src/hub/backup/make-backup.ts'
import { restoreBackup } from '../../../src/hub/backup/restore-backup.ts'
import { damagedData } from '../../fixtures/hub/damaged-data.ts'
import { HubData } from '../../fixtures/hub/hub-data.ts'
import { runFixture } from '../../fixtures/run-fixture.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const KILLS = Number(process.env.KILLS ?? 8)

/** Runs it, and kills it at some moment. */
async function killed(...args: string[]): Promise<void> {
  const running = runFixture('back-up-and-restore.ts', args)
  await running.printed(/begun/)
  // Evenly over as long as some rounds take.
  await sleep(Math.random() * 150)
  await running.stop('SIGKILL')
}

/** The data of a hub, and two backups of it that are not alike. */
async function twoBackups() {
  const data = await HubData.start()
  const folder = scratchFolder()
  const [one, other] = [path.join(folder, 'one.db'), path.join(folder, 'other.db')]
  for (let n = 0; n < 30; n++) await data.join(`one ${n}`, `one-${n}`)
  await makeBackup(data.folder, one)
  await data.change((store) => store.agents().forEach(({ id }) => store.removeAgent(id)))
  for (let n = 0; n < 30; n++) await data.join(`other ${n}`, `other-${n}`)
  await makeBackup(data.folder, other)
  const contents = []
  for (const file of [one, other]) {
    await restoreBackup(data.instance, file, { replace: false })
    contents.push(await data.found())
  }
  return { data, one, other, contents }
}

test('a backup that is killed leaves whole files, and what it was at it leaves beside', async () => {
  const data = await HubData.start()
  for (let n = 0; n < 30; n++) await data.join(`machine ${n}`, `name-${n}`)
  const folder = scratchFolder()
  for (let kill = 0; kill < KILLS; kill++) {
    await killed('backup', data.folder, folder)
    const left = readdirSync(folder)
    const backups = left.filter((name) => name.endsWith('.db'))
    expect(left.length - backups.length).toBeLessThanOrEqual(kill + 1)
    for (const name of backups) {
      const copy = new DatabaseSync(path.join(folder, name), { readOnly: true })
      expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
      expect(copy.prepare('SELECT count(*) AS n FROM agents, backup').get()).toEqual({ n: 30 })
      copy.close()
      rmSync(path.join(folder, name))
    }
  }
})

test('a restore that is killed leaves the old data or the new, and never a mixture', async () => {
  const { data, one, other, contents } = await twoBackups()
  for (let kill = 0; kill < KILLS; kill++) {
    await killed('restore', data.folder, one, other)
    expect(contents).toContainEqual(await data.found())
  }
  await restoreBackup(data.instance, one, { replace: false })
  expect(await data.found()).toEqual(contents[0])
  expect(readdirSync(data.folder)).not.toContain('restoring')
})

test('one that is killed over damaged data leaves it damaged, or the new', async () => {
  const { data, one, other, contents } = await twoBackups()
  const damaged = await damagedData(data)
  for (let kill = 0; kill < KILLS; kill++) {
    await killed('restore', data.folder, one, other, damaged)
    const found = await data.found().catch((error: { code: string }) => error.code)
    expect([...contents, 'HUB_DATA_DAMAGED']).toContainEqual(found)
  }
  await restoreBackup(data.instance, other, { replace: false })
  expect(await data.found()).toEqual(contents[1])
})
