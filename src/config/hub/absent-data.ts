import { existsSync } from 'node:fs'
import { ConnectError } from '../../errors.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { hubInstance } from './hub-instance.ts'
import { readHubSettings, type HubSettings } from './hub-settings.ts'

/**
 * Whether a kept hub’s data is not where it was put by --data-dir: most likely a disk is not mounted. A
 * database is made there before such settings are saved, so that one which is missing is never just new.
 */
export function isDataAbsent(settings: HubSettings | undefined): boolean {
  return settings?.dataDir !== undefined && !existsSync(hubInstance(settings).mainFile)
}

/**
 * Another hub in its place would be one that no machine knows, and hidden once the disk is there.
 *
 * @throws ConnectError HUB_DATA_ABSENT
 */
export function refuseAbsentData(settings: HubSettings | undefined): void {
  if (isDataAbsent(settings)) throw absentData(hubInstance(settings).dataFolder)
}

/**
 * The same for a folder that somebody has named: it may be the very one that the kept hub had its data in.
 *
 * @param folder absolute
 * @throws ConnectError HUB_DATA_ABSENT
 */
export function refuseAbsentFolder(folder: string): void {
  const settings = settingsIfAny()
  if (settings?.dataDir === folder) refuseAbsentData(settings)
}

/** Settings that can't be read keep no command from a folder that it was given. */
function settingsIfAny(): HubSettings | undefined {
  try {
    return readHubSettings()
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

/** What a hub does that runs and has no data, a sentence without a full stop. */
export function waitsForData(folder: string): string {
  return `Waiting for its data folder ${folder}, most likely on a disk that is not mounted`
}

/** @param message default: that it is not there */
export function absentData(
  folder: string,
  message = `The hub’s data is not in ${folder}, where it was`,
): ConnectError {
  const quoted = shellQuote(folder)
  return new ConnectError('HUB_DATA_ABSENT', message, {
    hints: [
      'If that is on a disk that is not mounted, mount it. Nothing was made in its place.',
      `To bring back a backup there: connect hub restore FILE --data-dir ${quoted}`,
      `To begin anew there: connect hub start --reset --data-dir ${quoted}, and what other flags it had`,
    ],
  })
}
