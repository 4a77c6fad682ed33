import { probeService } from '../../../agent/probe-service.ts'
import type { Config } from '../../../config/config.ts'
import type { AgentInstance } from '../../../config/instance.ts'
import { readServices, type ExposedService } from '../../../config/services.ts'
import { formatTarget } from '../../../config/target.ts'
import type { AgentAnswer } from '../../../control/ask-agent.ts'
import { Semaphore } from '../../../runtime/semaphore.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { listed } from '../../listed.ts'
import { restsOn, Skipped, UNREADABLE } from '../../way/skipped.ts'

export interface TargetsContext {
  readonly instance: AgentInstance
  config(): Promise<Config | undefined>
  agent(): Promise<AgentAnswer | undefined>
}

/** How many are dialled at once: each takes a descriptor, and up to 2 s. */
const AT_ONCE = 64

/** Whether something answers at each target that is exposed, as the agent would dial it. */
export const targets: Check<TargetsContext> = {
  name: 'targets',
  group: 'services',
  title: 'Exposed targets',
  timeoutMs: 10_000,
  async run(context) {
    const services = await exposed(context)
    if (services.length === 0) throw new Skipped('Nothing is exposed here')
    const hubId = (await context.config().catch(() => undefined))?.hubId ?? ''
    const failed = (await probeAll(services, hubId)).filter(({ why }) => why !== undefined)
    if (failed.length === 0) return { state: 'ok', seen: `${counted(services.length, 'target')} answered` }
    const shown = failed.map(({ service, why }) => `${service.name} (${formatTarget(service)}): ${why}`)
    return {
      state: 'failed',
      seen: `${failed.length} of ${counted(services.length, 'target')} did not answer: ${listed(shown)}`,
      fix: `Start what should listen there, or run: connect unexpose ${failed[0]!.service.name}`,
    }
  },
}

/** As the agent has it, else as it is saved. @throws Skipped if that can’t be read */
async function exposed(context: TargetsContext): Promise<readonly ExposedService[]> {
  const said = await context.agent().catch(() => undefined)
  return said?.status?.services ?? restsOn(() => readServices(context.instance), UNREADABLE)
}

function probeAll(
  services: readonly ExposedService[],
  hubId: string,
): Promise<{ service: ExposedService; why: string | undefined }[]> {
  const places = new Semaphore(AT_ONCE)
  const probe = async (service: ExposedService) => {
    await places.acquire()
    try {
      const probed = await probeService(service, hubId)
      return { service, why: probed.isListening ? undefined : probed.why }
    } finally {
      places.release()
    }
  }
  return Promise.all(services.map(probe))
}
