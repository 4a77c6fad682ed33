import type { Interfaces } from '@oclif/core'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../../config/hub/hub-settings.ts'
import { namedInstances } from '../../config/claimed-names.ts'
import { instanceFor, type Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import { knownPlatforms } from '../../platforms/selection/known-platforms.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { askOnly } from './ask-plugins.ts'

/** A daemon or hub that a plugin's platform keeps. */
export interface KeptByPlugin {
  /** `daemon` or `hub`. */
  readonly kept: string
  readonly platform: string
  /** What removes it from there. */
  readonly command: string
}

/**
 * Which of this user's daemons, and whether the hub, are installed in a platform that the plugin brings.
 *
 * @returns undefined if the plugin can't say
 */
export async function keptByPlugin(
  config: Interfaces.Config,
  plugin: Interfaces.Plugin,
): Promise<KeptByPlugin[] | undefined> {
  const { known, problems } = knownPlatforms([], await askOnly(config, [plugin]))
  const kept: KeptByPlugin[] = []
  for (const { description } of known) {
    for (const instance of instances()) {
      if (!(await description.isInstalled({ instance, env: process.env }))) continue
      const words = wordsOf(instance)
      kept.push({ kept: words.kept, platform: description.name, command: uninstallCommandOf(instance) })
    }
  }
  // They grow as the platforms are asked.
  return kept.length === 0 && problems.length > 0 ? undefined : kept
}

function instances(): Instance[] {
  return [instanceFor(), ...namedInstances(), hubInstance(hubSettings())]
}

/** Damaged ones are the hub's business: its name is the same with any. */
function hubSettings(): HubSettings | undefined {
  try {
    return readHubSettings()
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return undefined
  }
}

function uninstallCommandOf(instance: Instance): string {
  const uninstall = `${wordsOf(instance).command} uninstall`
  const isOther = instance.kind === 'agent' && instance.name !== 'default'
  return isOther ? `${uninstall} --config ${shellQuote(instance.configFile)}` : uninstall
}
