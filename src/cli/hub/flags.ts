import path from 'node:path'
import { Flags } from '@oclif/core'
import { dataFolder } from '../../config/instance.ts'
import { givenPath } from '../../files/given-path.ts'

/** Where the hub keeps its database. */
export const dataDirFlag = {
  'data-dir': Flags.string({
    description: 'where the hub keeps its data (default: ~/.privateconnect/hub)',
    helpValue: 'DIR',
  }),
}

export function hubFolder(dataDir: string | undefined): string {
  return dataDir === undefined ? path.join(dataFolder(), 'hub') : givenPath(dataDir)
}
