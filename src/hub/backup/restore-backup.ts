import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { takeInstanceLock } from '../../control/instance-lock.ts'
import { codeOf, ConnectError } from '../../errors.ts'
import { isSameFile } from '../../files/is-same-file.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { realPathIfThere } from '../../files/real-path.ts'
import type { Mark } from '../store/schema.ts'
import { storeErrorOf } from '../store/store-error.ts'
import { counted } from '../../text/counted.ts'
import { Store, type Agent, type Snapshot } from '../store/store.ts'
import { placeAuthority, readSoundAuthority } from './authority.ts'
import { copyStore } from './make-backup.ts'
import { openBackup } from './open-backup.ts'
import { keepDamaged, replaceDamaged } from './replace-damaged.ts'
import type { Contents } from './notes.ts'

/** A machine that is there again. */
interface RestoredAgent extends Agent {
  readonly names: readonly string[]
  /** The data of before didn't have it any more: it had logged out, or was removed. */
  readonly hadLeft: boolean
}

/** What has come back. */
export interface Restored {
  readonly hubId: string
  /** ms since 1970, if that is known */
  readonly madeAt: number | undefined
  readonly agents: readonly RestoredAgent[]
  /**
   * What was there before: the same hub's data, and if so from before the backup (`older`) or not; another
   * hub's; nothing; or what can't be read.
   */
  readonly before: 'same' | 'older' | 'another' | 'none' | 'damaged'
  /** Where that is kept. */
  readonly kept: string | undefined
  /** What became of the authority of the hub's own, if the backup has one. */
  readonly authority: 'restored' | 'kept' | undefined
}

/**
 * Puts what is in a backup in the place of a hub's data, while no hub runs. A kill at any moment leaves the
 * old data or the new.
 *
 * @param file absolute
 * @param options.replace though the data of another hub is there
 * @throws ConnectError HUB_RUNNING, BACKUP_UNUSABLE, BACKUP_OF_ANOTHER, BAD_VALUE, WRITE_FAILED,
 * FILE_UNTRUSTED
 */
export async function restoreBackup(
  instance: HubInstance,
  file: string,
  options: { replace: boolean },
): Promise<Restored> {
  if (isSameFile(file, instance.mainFile))
    throw new ConnectError('BAD_VALUE', `${file} is the hub’s database itself, and no backup`)
  ensurePrivateFolder(instance.dataFolder)
  // A hub that is about to start waits for it.
  const lock = await takeInstanceLock(instance)
  if (!lock) {
    throw new ConnectError('HUB_RUNNING', `A hub is running on ${instance.dataFolder}`, {
      hints: ['Stop it first: connect hub stop (one in a terminal: Ctrl-C)'],
    })
  }
  const place = realPathIfThere(instance.mainFile) ?? instance.mainFile
  const work = path.join(path.dirname(place), 'restoring')
  try {
    // What a restore has left that was killed.
    rmSync(work, { recursive: true, force: true })
    mkdirSync(work, { mode: 0o700 })
    return await restore(instance.dataFolder, place, work, file, options)
  } catch (error) {
    throw storeErrorOf(instance.dataFolder, error)
  } finally {
    rmSync(work, { recursive: true, force: true })
    lock.release()
  }
}

async function restore(
  folder: string,
  place: string,
  work: string,
  file: string,
  options: { replace: boolean },
): Promise<Restored> {
  const copy = path.join(work, 'hub.db')
  const backup = await openBackup(file, work)
  const store = await openData(folder)
  try {
    const old = typeof store === 'object' ? store.snapshot() : undefined
    const before = typeof store === 'object' ? relationOf(store.mark, backup) : store
    if (old && before === 'another' && !options.replace) refuseAnother(file, old)
    const stamp = `before-restore-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`
    const kept = `${place}.${stamp}`
    if (store === 'damaged') keepDamaged(place, kept)
    else if (typeof store === 'object')
      await copyStore(store, kept, { authority: readSoundAuthority(folder) })
    const authority = restoreAuthority(folder, backup, before, path.join(folder, `tls.${stamp}`))
    if (store === 'damaged') replaceDamaged(place, copy)
    else await replaceSound(folder, store, copy)
    const agents = await readRestored(folder, before === 'same' ? old : undefined)
    const { id: hubId, madeAt } = backup
    return { hubId, madeAt, agents, before, kept: store === 'none' ? undefined : kept, authority }
  } finally {
    if (typeof store === 'object') store.close()
  }
}

async function openData(folder: string): Promise<Store | 'none' | 'damaged'> {
  try {
    return await Store.open(folder, { existing: true })
  } catch (error) {
    if (codeOf(error) === 'HUB_DATA_MISSING') return 'none'
    if (codeOf(error) === 'HUB_DATA_DAMAGED') return 'damaged'
    throw error
  }
}

function relationOf(here: Mark, backup: Mark): Restored['before'] {
  if (here.id !== backup.id) return 'another'
  return here.generation < backup.generation ? 'older' : 'same'
}

/** A hub that nobody has joined is lost to nobody: as one that was installed for the backup. */
function refuseAnother(file: string, { agents }: Snapshot): void {
  const joined = agents.filter(({ revoked }) => !revoked).length
  if (joined === 0) return
  throw new ConnectError(
    'BACKUP_OF_ANOTHER',
    `${file} is of another hub: ${counted(joined, 'machine')} of this one would have to join anew`,
  )
}

/** What machines trust now is not taken from them, unless they are another hub's, or it is damaged. */
function restoreAuthority(
  folder: string,
  { authority }: Contents,
  before: Restored['before'],
  aside: string,
): Restored['authority'] {
  if (authority === undefined) return undefined
  const found = readSoundAuthority(folder)
  if (found !== undefined && before !== 'another') return found === authority ? undefined : 'kept'
  placeAuthority(folder, authority, aside)
  return 'restored'
}

async function replaceSound(folder: string, store: Store | 'none', copy: string): Promise<void> {
  if (store !== 'none') return store.replaceWith(copy)
  const fresh = await Store.open(folder)
  try {
    fresh.replaceWith(copy)
  } finally {
    fresh.close()
  }
}

async function readRestored(folder: string, old: Snapshot | undefined): Promise<RestoredAgent[]> {
  const store = await Store.open(folder, { existing: true })
  try {
    const { agents, services } = store.snapshot()
    const had = old && new Set(old.agents.map(({ id }) => id))
    return agents.map((agent) => ({
      ...agent,
      names: services.filter((service) => service.agent === agent.id).map(({ name }) => name),
      hadLeft: had !== undefined && !had.has(agent.id) && !agent.revoked,
    }))
  } finally {
    store.close()
  }
}
