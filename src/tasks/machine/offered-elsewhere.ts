import type { Config } from '../../config/config.ts'
import type { AgentInstance } from '../../config/instance.ts'
import { agentOffers } from '../../control/client.ts'
import type { Offer } from '../../control/schema.ts'
import { ConnectError } from '../../errors.ts'
import { withDeadline } from '../../runtime/deadline.ts'

/** How long the hub is waited for, in ms: whoever asks where this machine stands looks at a terminal. */
const PATIENCE_MS = 2000

/** What other machines offer. */
export interface OfferedElsewhere {
  /** Null if it isn't known. */
  readonly offered: readonly Offer[] | null
  /** Why it isn't known; null if it is, or nobody was to be asked. */
  readonly hubSilence: string | null
}

/**
 * Asks the hub. That it doesn't answer is no error: the reason is told.
 *
 * @param instance whose agent may ask in our place; undefined if that one is at another hub
 */
export async function offeredElsewhere(
  instance: AgentInstance | undefined,
  config: Config,
): Promise<OfferedElsewhere> {
  try {
    const all = await withDeadline(
      // An agent asks in half the time: it is connected, and has loaded what that takes.
      async () => (instance && (await agentOffers(instance, PATIENCE_MS))) ?? ask(config),
      PATIENCE_MS,
      // Of the hub, or of an agent that hangs.
      () => new ConnectError('HUB_UNREACHABLE', `no answer within ${PATIENCE_MS / 1000} s`),
    )
    return { offered: all.filter(({ agent }) => agent !== config.agentId), hubSilence: null }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { offered: null, hubSilence: error.message }
  }
}

/** Loaded only where it is needed. */
async function ask(config: Config): Promise<Offer[]> {
  const { askOffers } = await import('../../hub-client/find-services.ts')
  return askOffers(config)
}
