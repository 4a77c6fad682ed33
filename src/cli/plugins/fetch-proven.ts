import type { Interfaces } from '@oclif/core'
import { ConnectError } from '../../errors.ts'
import { fetchPlugin } from '../../plugins/fetch-plugin.ts'
import type { ListedPlugin } from '../../plugins/plugin-list.ts'
import type { PluginSource } from '../../plugins/plugin-source.ts'
import { provePlugin, type Brings } from './prove-plugin.ts'

/** A plugin that was fetched and can be used, once it is listed. */
export interface ProvenPlugin {
  readonly version: string
  readonly listed: ListedPlugin & { readonly root: string }
  readonly brings: Brings
}

/**
 * Has npm get a plugin, and proves it. One that fails is taken away again.
 *
 * @param expected its name; default: any
 * @throws ConnectError as fetchPlugin and provePlugin; PLUGIN_UNUSABLE if it has another name
 */
export async function fetchProven(
  config: Interfaces.Config,
  dataFolder: string,
  source: PluginSource,
  expected?: string,
): Promise<ProvenPlugin> {
  const fetched = await fetchPlugin(dataFolder, source, process.env)
  try {
    const { name, version, listed } = fetched
    if (name !== (expected ?? name))
      throw new ConnectError('PLUGIN_UNUSABLE', `Where it came from there is ${name} now`)
    const brings = await provePlugin(config, dataFolder, listed)
    return { version, listed: { ...listed, platforms: brings.platforms }, brings }
  } catch (error) {
    fetched.discard()
    throw error
  }
}
