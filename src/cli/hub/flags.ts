import { Flags } from '@oclif/core'
import { refuseAbsentData, refuseAbsentFolder } from '../../config/hub/absent-data.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { givenPath } from '../../files/given-path.ts'

/** Where the hub keeps its database. */
export const dataDirFlag = {
  'data-dir': Flags.string({
    description:
      'where the hub keeps its data (default: that of the hub that is kept, else ~/.privateconnect/hub)',
    helpValue: 'DIR',
  }),
}

/**
 * Where a hub's data lies: without --data-dir that of the hub that this user has installed.
 *
 * @throws ConnectError HUB_DATA_ABSENT, HUB_SETTINGS_DAMAGED and the like
 */
export function hubFolder(dataDir: string | undefined): string {
  if (dataDir !== undefined) {
    const folder = givenPath(dataDir)
    refuseAbsentFolder(folder)
    return folder
  }
  const settings = readHubSettings()
  refuseAbsentData(settings)
  return hubInstance(settings).dataFolder
}
