import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { refuseAbsentFolder } from '../../config/hub/absent-data.ts'
import { ConnectError } from '../../errors.ts'
import { givenPath } from '../../files/given-path.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { hubFolder } from './flags.ts'

/** What makes a folder a hub's, and what a disk has that holds nothing yet. */
const ITS_OWN = new Set(['hub.db', 'lost+found'])

/**
 * Where a hub's data is to lie. That folder is closed to all others, so one that holds something else, such
 * as /srv or a home folder, is refused while others may enter it.
 *
 * @throws ConnectError BAD_VALUE
 */
export function givenDataFolder(dataDir: string): string {
  const folder = givenPath(dataDir)
  const found = statSync(folder, { throwIfNoEntry: false })
  // What can't be a hub's folder anyway is refused for that, once it is used.
  if (!found?.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o077) === 0) return folder
  const names = readdirSync(folder)
  if (names.length === 0 || names.some((name) => ITS_OWN.has(name))) return folder
  throw new ConnectError(
    'BAD_VALUE',
    `${folder} holds other things, and a hub would close it to all other users`,
    { hints: [`Give the hub a folder of its own: --data-dir ${shellQuote(path.join(folder, 'hub'))}`] },
  )
}

/**
 * Where a command works that makes the folder if it is not there.
 *
 * @param dataDir without it that of the hub that this user has installed
 * @throws ConnectError BAD_VALUE; HUB_DATA_ABSENT, HUB_SETTINGS_DAMAGED and the like
 */
export function newHubFolder(dataDir: string | undefined): string {
  if (dataDir === undefined) return hubFolder(dataDir)
  const folder = givenDataFolder(dataDir)
  refuseAbsentFolder(folder)
  return folder
}
