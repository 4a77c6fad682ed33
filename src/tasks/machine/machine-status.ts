import { hubOf, readConfig, type Config } from '../../config/config.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import type { AgentInstance } from '../../config/instance.ts'
import { agentHere } from './agent-here.ts'
import { hubHere, UNKNOWN_HUB } from './hub-here.ts'
import type { NextStep } from './next-step.ts'
import { nextSteps } from './next-steps.ts'
import { offeredElsewhere, type OfferedElsewhere } from './offered-elsewhere.ts'
import { Problems } from './problems.ts'
import type { Standing } from './standing.ts'
import { ownHubStep, startStep, type AskPlugins } from './start-step.ts'

/** Where this machine stands, and what comes next; also the shape of `status --json`. */
export interface MachineStatus extends Standing {
  readonly next: readonly NextStep[]
}

const NOBODY_ASKED: OfferedElsewhere = { offered: null, hubSilence: null }

/** Waits for nobody for long, and fails for nothing that a user can see to: that is reported. */
export async function machineStatus(instance: AgentInstance, plugins: AskPlugins): Promise<MachineStatus> {
  const problems = new Problems()
  const read = await problems.look(() => readLogin(instance))
  const config = read?.config
  const [hub, report, elsewhere] = await Promise.all([
    problems.look(hubHere),
    agentHere(instance, config, problems),
    config ? offeredElsewhere(instance, config) : NOBODY_ASKED,
  ])
  const isElsewhere = report.agent.drift.length > 0
  const standing = {
    hub: hub ?? UNKNOWN_HUB,
    loggedIn: read ? config !== undefined : null,
    login: config ? { agentId: config.agentId, label: config.label, hub: config.hub } : null,
    ...report,
    ...(isElsewhere && config ? await offeredElsewhere(undefined, config) : elsewhere),
    problems: problems.found,
  }
  const start = {
    agent: () => startStep(instance, plugins),
    hub: () => startStep(hubInstance(readHubSettings()), plugins),
    ownHub: () => ownHubStep(hubInstance(), plugins),
  }
  const next = await problems.look(() => nextSteps(standing, start))
  return { ...standing, problems: problems.found, next: next ?? [] }
}

/** @throws ConnectError as readConfig and hubOf */
function readLogin(instance: AgentInstance): { config: Config | undefined } {
  const config = readConfig(instance)
  return { config: config && { ...config, hub: hubOf(config) } }
}
