import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { recordedVersion } from '../../control/ask-agent.ts'
import { ConnectError } from '../../errors.ts'
import { hubStatus } from '../../hub/control/client.ts'
import type { HubStatus } from '../../hub/control/schema.ts'

/** What a running hub says of itself. */
export interface HubAnswer {
  readonly status?: HubStatus
  /** Why there is no status. */
  readonly silence?: string
  /** The hub's version, from its record if it doesn't answer; null if neither tells. */
  readonly version: string | null
}

/** Asks the hub how it is. That it doesn't answer is no error: the reason is told. */
export async function askHub(instance: HubInstance): Promise<HubAnswer> {
  try {
    const status = await hubStatus(instance)
    if (status) return { status, version: status.agent.version }
    return { silence: 'the hub does not answer on its socket', version: recordedVersion(instance) }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    const silence =
      error.code === 'HUB_OTHER_VERSION'
        ? 'the hub’s answer can’t be read: most likely it is of another version'
        : 'the hub does not answer on its socket'
    return { silence, version: recordedVersion(instance) }
  }
}
