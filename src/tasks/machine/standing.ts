import type { Config } from '../../config/config.ts'
import type { AgentReport } from './agent-here.ts'
import type { HubHere } from './hub-here.ts'
import type { OfferedElsewhere } from './offered-elsewhere.ts'
import type { Problem } from './problems.ts'

/** All that is known of where this machine stands. */
export interface Standing extends AgentReport, OfferedElsewhere {
  readonly hub: HubHere
  /** Null if the config can't be read. */
  readonly loggedIn: boolean | null
  /** Who this machine is, and to which hub; null unless it is logged in. */
  readonly login: Pick<Config, 'agentId' | 'label' | 'hub'> | null
  readonly problems: readonly Problem[]
}
