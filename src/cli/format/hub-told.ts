import { JOIN_OWN_HUB } from '../../config/first-steps.ts'
import { isLoopback } from '../../config/hub-url.ts'
import type { Joining } from '../../tasks/hub/join-here.ts'
import type { HubTold } from '../../tasks/hub/start-hub.ts'

const JOIN_ANEW = `To have it join this one: connect logout, then ${JOIN_OWN_HUB}`

/** Where a hub that was started can be reached. */
export function formatHubTold({ listen, url }: HubTold): string[] {
  if (listen === null || url === null)
    return ['  It does not say yet where it listens. See: connect hub status']
  return [`  Listens on: ${listen}`, `  ${addressLabel(url)}: ${url}`]
}

/** Whom an address is for: on loopback no other machine reaches the hub. */
export function addressLabel(url: string): string {
  return isLoopback(new URL(url).hostname) ? 'Address on this machine' : 'Address for others'
}

/** What became of this machine with the hub on it; nothing if that has failed, which is a warning. */
export function formatJoining({ outcome, agentId, hub }: Joining): string[] {
  switch (outcome) {
    case 'joined': {
      return [`  This machine has joined it, as ${agentId}`]
    }
    case 'member': {
      return ['  This machine has joined it before']
    }
    case 'moved': {
      return [`  This machine has joined it before, and has its new address: ${hub}`]
    }
    case 'forgotten': {
      return [`  The hub knows this machine (${agentId}) no more. ${JOIN_ANEW}`]
    }
    case 'displaced': {
      return [`  This machine is logged in to another hub, which was at ${hub}. ${JOIN_ANEW}`]
    }
    case 'elsewhere': {
      return [`  This machine is logged in to ${hub}, and stays there`]
    }
    default: {
      return []
    }
  }
}

/** What of that is news after a start, which has no machine join. */
export function formatNews(joining: Joining | null): string[] {
  const isNews = joining && ['moved', 'forgotten', 'displaced'].includes(joining.outcome)
  return isNews ? formatJoining(joining) : []
}
