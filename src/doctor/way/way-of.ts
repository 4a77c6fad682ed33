import { hubOf, type Config } from '../../config/config.ts'
import { restsOn, Skipped } from './skipped.ts'
import { HubWay } from './hub-way.ts'

/** What the checks of the way look at. */
export interface WayContext {
  /** @throws Skipped if this machine has no hub, or its config can't be used */
  way(): Promise<HubWay>
}

/** How long a check of a stage may take, in ms: those before it have a time of their own. */
export const WAY_MS = 12_000

/** @throws Skipped */
export async function wayOf(reading: Promise<Config | undefined>): Promise<HubWay> {
  // Which the check of the config tells.
  const config = await restsOn(() => reading, UNUSABLE)
  if (!config) throw new Skipped('This machine is not logged in to a hub')
  return new HubWay({ ...config, hub: await restsOn(() => hubOf(config), UNUSABLE) })
}

const UNUSABLE = 'Not looked at, since the configuration can’t be used'
