import { homedir } from 'node:os'
import { claimName, ownedNames, ownerOf, releaseName } from './instance-name.ts'
import { instanceFor, registryFolder, type AgentInstance, type Instance } from './instance.ts'
import { HUB_NAME } from './kind.ts'

/** No other instance of this user takes its name from now on. @throws ConnectError WRITE_FAILED */
export function claimInstanceName({ name, stem, configFile }: Instance, home = homedir()): void {
  if (name === stem && name !== 'default') claimName(registryFolder(home), stem, configFile)
}

/** The name is free for others again. */
export function releaseInstanceName({ stem, configFile }: Instance, home = homedir()): void {
  releaseName(registryFolder(home), stem, configFile)
}

/** The instances beside the default one that have taken their names, most of them by an install. */
export function namedInstances(home = homedir()): AgentInstance[] {
  return ownedNames(registryFolder(home)).map((configFile) => instanceFor(configFile, home))
}

/** The config file of the agent that has the hub's name: it was installed before that was the hub's. */
export function holderOfHubName(home = homedir()): string | undefined {
  return ownerOf(registryFolder(home), HUB_NAME)
}

/** No agent has the hub's name any more. */
export function releaseHubName(home = homedir()): void {
  const holder = holderOfHubName(home)
  if (holder !== undefined) releaseName(registryFolder(home), HUB_NAME, holder)
}
