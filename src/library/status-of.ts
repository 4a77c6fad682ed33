import { instanceFor } from '../config/instance.ts'
import { selectPlatform } from '../platforms/selection/select.ts'
import { daemonStatus, type DaemonStatus } from '../tasks/status.ts'
import { ownVersion, root } from './installed.ts'
import type { InstanceOptions } from './instance-options.ts'

/** Plugins are found by oclif, which a library does without. */
const noPlugins = async () => ({ platforms: [], problems: [] })

/** @throws ConnectError if there is a config that can't be used */
export async function statusOf({ config }: InstanceOptions): Promise<DaemonStatus> {
  const platformContext = { instance: instanceFor(config), env: process.env }
  const { description } = await selectPlatform({
    context: platformContext,
    purpose: 'use',
    plugins: noPlugins,
  })
  const platform = await description.load(platformContext)
  const { instance } = platformContext
  return daemonStatus({
    instance,
    platform,
    description,
    root,
    version: ownVersion(),
    hub: undefined,
    interactive: false,
  })
}
