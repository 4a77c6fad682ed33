import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../../config/hub/hub-settings.ts'
import { servingOf, type Serving } from '../../config/hub/serving.ts'
import { isLoopback } from '../../config/hub-url.ts'
import { formatTarget } from '../../config/target.ts'
import { ConnectError } from '../../errors.ts'
import { hubAgents } from '../../hub/control/client.ts'
import { counted } from '../../text/counted.ts'
import type { Joining } from './join-here.ts'

/** One that hangs is not waited for long: it is started anew for all that. */
const TELLS_WITHIN_MS = 1000

/** Where a hub is that is to listen elsewhere, and who is there. */
export interface LeftAddress {
  /** HOST:PORT */
  readonly listen: string
  /** The machines that are connected, by their agents' ids. */
  readonly connected: readonly string[]
}

/**
 * To be asked before a hub is started with other settings.
 *
 * @returns undefined if whoever is connected finds it again, or may do so: through a reverse proxy
 * @throws ConnectError HUB_SETTINGS_DAMAGED
 */
export async function leftAddress(wanted: HubSettings): Promise<LeftAddress | undefined> {
  const settings = readHubSettings() ?? {}
  const [was, is] = [servingOnce(settings), servingOf(wanted)]
  if (was === undefined || was.port === 0 || was.url !== undefined) return undefined
  if (is.port === was.port && (!isLoopback(is.host) || isLoopback(was.host))) return undefined
  // What is said of them is a courtesy: that the hub can't tell keeps it from nothing.
  const agents = await hubAgents(hubInstance(settings), TELLS_WITHIN_MS).catch(() => undefined)
  const connected = (agents ?? []).filter(({ online }) => online).map(({ id }) => id)
  return { listen: formatTarget(was), connected }
}

/** Undefined for settings that no hub can have run with: it is most likely those that are to be mended. */
function servingOnce(settings: HubSettings): Serving | undefined {
  try {
    return servingOf(settings)
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

/**
 * What to say of the machines that look for the hub where it was.
 *
 * @param joining how this machine stands with it now
 */
export function lostMembers(left: LeftAddress | undefined, joining: Joining | null): string | undefined {
  const moved = joining?.outcome === 'moved' ? joining.agentId : null
  const count = (left?.connected ?? []).filter((id) => id !== moved).length
  if (left === undefined || count === 0) return undefined
  const who = `${counted(count, 'machine')} ${count === 1 ? 'was' : 'were'}`
  return `${who} connected by ${left.listen}, where the hub no longer listens. To have it there again: connect hub start --listen ${left.listen}`
}
