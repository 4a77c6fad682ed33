import { releaseInstanceName } from '../config/claimed-names.ts'
import { instanceFor } from '../config/instance.ts'
import { HUB_NAME } from '../config/kind.ts'
import type { DaemonContext } from './daemon-context.ts'
import { runSteps } from './steps/run-steps.ts'

/**
 * An agent that was installed when the hub's name was anybody's is removed under that name, to be installed
 * under another one. The caller holds the locks.
 *
 * @returns the context to go on with
 */
export async function giveUpHubName(context: DaemonContext): Promise<DaemonContext> {
  const { instance, platform, description } = context
  if (instance.name !== HUB_NAME) return context
  await runSteps(platform.uninstall().steps, context)
  releaseInstanceName(instance)
  const renamed = instanceFor(instance.configFile)
  const loaded = await description.load({ instance: renamed, env: process.env })
  return { ...context, instance: renamed, platform: loaded }
}
