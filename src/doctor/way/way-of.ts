import { hubOf, type Config } from '../../config/config.ts'
import { ConnectError } from '../../errors.ts'
import { Skipped } from './skipped.ts'
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
  try {
    const config = await reading
    if (!config) throw new Skipped('This machine is not logged in to a hub')
    return new HubWay({ ...config, hub: hubOf(config) })
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    // Which the check of the config tells.
    throw new Skipped('Not looked at, since the configuration can’t be used')
  }
}
