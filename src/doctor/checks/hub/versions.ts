import type { AgentAnswer } from '../../../control/ask-agent.ts'
import { LOCAL_PACKAGE } from '../../../error-codes.ts'
import { PROTOCOL_VERSION } from '../../../tunnel/protocol/handshake.ts'
import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

interface VersionsContext extends WayContext {
  /** Of this command. */
  readonly version: string
  agent(): Promise<AgentAnswer | undefined>
}

/** Of the hub, and of what is here. That the agent is not what is installed, another check tells. */
export const versions: Check<VersionsContext> = {
  name: 'versions',
  group: 'hub',
  title: 'Versions',
  timeoutMs: WAY_MS,
  async run(context) {
    const { version } = context
    const { info } = await (await context.way()).answered()
    const agent = (await context.agent().catch(() => undefined))?.version
    const running = agent === null || agent === undefined ? '' : `, the agent ${agent}`
    const seen = `The hub is ${info.version}, this program ${version}${running}`
    if (info.protocol !== PROTOCOL_VERSION) {
      const spoken = `${seen}; the hub speaks protocol ${info.protocol}, and this program ${PROTOCOL_VERSION}`
      return {
        state: 'failed',
        seen: spoken,
        fix: info.protocol > PROTOCOL_VERSION ? UPGRADE_HERE : UPGRADE_HUB,
      }
    }
    if (info.version === version) return { state: 'ok', seen }
    const isOlder = info.version.localeCompare(version, 'en', { numeric: true }) < 0
    return { state: 'warning', seen, fix: isOlder ? UPGRADE_HUB : UPGRADE_HERE }
  },
}

const UPGRADE_HUB = 'Have the hub upgraded: it can’t do what is new since'
const UPGRADE_HERE = `Upgrade this one: ${LOCAL_PACKAGE}, then: connect daemon restart`
