import type { HubTold } from '../../tasks/hub/start-hub.ts'

/** Where a hub that was started can be reached. */
export function formatHubTold({ listen, url }: HubTold): string[] {
  if (listen === null || url === null)
    return ['  It does not say yet where it listens. See: connect hub status']
  return [`  Listens on: ${listen}`, `  Address for others: ${url}`]
}
