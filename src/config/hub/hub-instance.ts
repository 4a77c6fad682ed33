import { homedir } from 'node:os'
import path from 'node:path'
import { hubHome, hubSettingsFile, type HubSettings } from './hub-settings.ts'
import { socketPathFor, type Instance } from '../instance.ts'
import { HUB_NAME } from '../kind.ts'

/** A hub's: its files lie with its data, so that two hubs with different data share nothing. */
export interface HubInstance extends Instance {
  readonly kind: 'hub'
}

/**
 * The hub that runs on a data folder. Only one of a user's is installed: the one that the settings tell of.
 *
 * @param settings see readHubSettings
 */
export function hubInstance({ dataDir }: HubSettings = {}, home = homedir()): HubInstance {
  const folder = dataDir ?? hubHome(home)
  const within = (name: string) => path.join(folder, name)
  return {
    kind: 'hub',
    name: HUB_NAME,
    stem: HUB_NAME,
    folder,
    configFile: hubSettingsFile(home),
    mainFile: within('hub.db'),
    logFile: within('hub.log'),
    pidFile: within('hub.pid'),
    // Not hub.json: in a folder that somebody shares that may be an agent’s config, with its key.
    recordFile: within('hub.process.json'),
    lockFile: within('hub.lock'),
    commandLockFile: within('hub.command.lock'),
    socketPath: socketPathFor(within('hub.sock')),
  }
}
