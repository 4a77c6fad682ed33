import { isIP } from 'node:net'
import { withoutBrackets } from '../../../config/hub-url.ts'
import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

export const dns: Check<WayContext> = {
  name: 'dns',
  group: 'network',
  title: 'Name of the hub',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    const { hostname } = new URL(way.config.hub)
    const addresses = (await way.names()).map(({ address }) => address)
    const isAddress = isIP(withoutBrackets(hostname)) !== 0
    const seen = isAddress ? `${hostname} needs no look-up` : `${hostname} is ${addresses.join(', ')}`
    return { state: 'ok', seen }
  },
}
