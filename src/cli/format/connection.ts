import type { StartReport } from '../../tasks/start.ts'

/** How the agent stands with the hub, in words. @param hub null if the agent doesn't say */
export function formatConnection(hub: StartReport['hub']): string {
  if (!hub) return 'not known: the agent does not say'
  if (hub.state === 'connected') return 'connected'
  const why = hub.state === 'retrying' ? ` (${hub.reason})` : ''
  return `not connected yet${why}; the agent keeps trying`
}
