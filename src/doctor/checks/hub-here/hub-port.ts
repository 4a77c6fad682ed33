import { isLoopback } from '../../../config/hub-url.ts'
import { parseListenAddress } from '../../../config/target.ts'
import type { Check } from '../../check.ts'
import { requireHubStatus, type HubHereContext } from '../../hub-inspection.ts'
import { Skipped } from '../../way/skipped.ts'

/** What it is like from outside only a machine out there can tell: one that is connected has. */
export const hubPort: Check<HubHereContext> = {
  name: 'hub-port',
  group: 'hub-here',
  title: 'Its port from outside',
  async run(context) {
    const { listen, url, outside } = (await requireHubStatus(context)).status
    if (outside) return { state: 'ok', seen: `A machine at another address is connected to ${listen}` }
    if (isLoopback(parseListenAddress(listen).host))
      throw new Skipped(`It listens at ${listen}, for this machine and what forwards to it`)
    return {
      state: 'unknown',
      seen: 'No machine at another address is connected, which alone would prove that the port is open',
      fix: `On another machine run: curl -k ${url}/healthz`,
    }
  },
}
