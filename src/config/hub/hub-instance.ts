import { homedir } from 'node:os'
import path from 'node:path'
import { hubHome, hubSettingsFile, type HubSettings } from './hub-settings.ts'
import { shortHash } from '../instance-name.ts'
import { socketPathFor, type Instance } from '../instance.ts'
import { HUB_NAME } from '../kind.ts'

/**
 * A hub's: what its process makes lies with its data, so that two hubs with different data share nothing. Its
 * settings, its log and the lock of commands are of the one that is kept: they are there, and tell why, while
 * a disk with the data is not, and so is what its process makes while it waits for that.
 */
export interface HubInstance extends Instance {
  readonly kind: 'hub'
  /** Where its database lies; `folder` has its settings. */
  readonly dataFolder: string
}

/**
 * The hub that runs on a data folder. Only one of a user's is installed: the one that the settings tell of.
 *
 * @param settings see readHubSettings
 */
export function hubInstance({ dataDir }: HubSettings = {}, home = homedir()): HubInstance {
  const folder = hubHome(home)
  const data = dataDir ?? folder
  const within = (name: string) => path.join(data, name)
  const beside = (name: string) => path.join(folder, name)
  const instance: HubInstance = {
    kind: 'hub',
    name: HUB_NAME,
    stem: HUB_NAME,
    folder,
    dataFolder: data,
    configFile: hubSettingsFile(home),
    mainFile: within('hub.db'),
    logFile: beside('hub.log'),
    pidFile: within('hub.pid'),
    // Not hub.json: in a folder that somebody shares that may be an agent’s config, with its key.
    recordFile: within('hub.process.json'),
    lockFile: within('hub.lock'),
    commandLockFile: beside('hub.command.lock'),
    socketPath: socketPathFor(within('hub.sock')),
  }
  if (dataDir === undefined) return instance
  // Of that data alone: there may be another hub, on other data.
  const own = (ending: string) => beside(`hub.waiting-${shortHash(data).slice(0, 8)}.${ending}`)
  const waiting = {
    ...instance,
    pidFile: own('pid'),
    recordFile: own('json'),
    lockFile: own('lock'),
  }
  return { ...instance, waiting }
}
