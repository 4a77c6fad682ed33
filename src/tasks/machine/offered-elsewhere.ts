import type { Config } from '../../config/config.ts'
import { ConnectError } from '../../errors.ts'
import { withDeadline } from '../../platforms/deadline.ts'
import type { OfferedService } from '../../tunnel/protocol/handshake.ts'

/** How long the hub is waited for, in ms: whoever asks where this machine stands looks at a terminal. */
const PATIENCE_MS = 2000

/** A service with all fields, as JSON has them. */
export type Offer = Omit<OfferedService, 'port'> & { readonly port: number | null }

/** What other machines offer. */
export interface OfferedElsewhere {
  /** Null if it isn't known. */
  readonly offered: readonly Offer[] | null
  /** Why it isn't known; null if it is, or nobody was to be asked. */
  readonly hubSilence: string | null
}

/** Asks the hub. That it doesn't answer is no error: the reason is told. */
export async function offeredElsewhere(config: Config): Promise<OfferedElsewhere> {
  try {
    const all = await withDeadline(
      () => ask(config),
      PATIENCE_MS,
      () =>
        new ConnectError('HUB_UNREACHABLE', `${config.hub} did not answer within ${PATIENCE_MS / 1000} s`),
    )
    const others = all.filter(({ agent }) => agent !== config.agentId)
    return { offered: others.map((one) => ({ ...one, port: one.port ?? null })), hubSilence: null }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { offered: null, hubSilence: error.message }
  }
}

/** Loaded only where there is a hub to ask. */
async function ask(config: Config): Promise<OfferedService[]> {
  const [{ HubClient }, { Signer }] = await Promise.all([
    import('../../hub-client/hub-client.ts'),
    import('../../hub-client/credential.ts'),
  ])
  return new HubClient(config).services(new Signer(config))
}
