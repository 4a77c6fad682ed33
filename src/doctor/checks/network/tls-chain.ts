import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** Verified as an agent does it. */
export const tlsChain: Check<WayContext> = {
  name: 'tls-chain',
  group: 'network',
  title: 'TLS certificate of the hub',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    const { issuer } = await way.tls()
    const by = way.config.authority === undefined ? 'this machine trusts' : 'the invite has named'
    return { state: 'ok', seen: `Signed by ${issuer}, which leads to an authority that ${by}` }
  },
}
