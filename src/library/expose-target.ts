import { probeService } from '../agent/probe-service.ts'
import { requireConfig } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { listTarget, parseTarget } from '../config/target.ts'
import { expose, unexpose } from '../tasks/exposure.ts'
import type { Exposed, ExposeOptions, UnexposeOptions } from './exposed.ts'

/** @throws ConnectError as `expose` of library.ts */
export async function exposeTarget(
  text: string | number,
  { name: wanted, config }: ExposeOptions,
): Promise<Exposed> {
  const name = parseServiceName(wanted)
  const target = parseTarget(String(text))
  const instance = instanceFor(config)
  const exposure = await expose(instance, { name, ...target })
  const { state, was } = exposure
  const { isListening } = await probeService(target, requireConfig(instance).hubId)
  const reason = state === 'saved' ? exposure.reason : null
  const before = was ? listTarget(was) : null
  return { name, ...listTarget(target), was: before, state, reason, answering: isListening }
}

/** @throws ConnectError as `unexpose` of library.ts */
export async function unexposeName(
  name: string,
  { config, drain = false }: UnexposeOptions,
): Promise<boolean> {
  return (await unexpose(instanceFor(config), parseServiceName(name), { drain })).removed
}
